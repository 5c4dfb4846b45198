//! Image and compose file. No container engine runs here, so what they say is held against the program and the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use nightlatch::config::KEYS;

use crate::support::empty_database;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nightlatch");
const KEK: &str = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s=";

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

/// A folder that is empty but for what the image copies from the repository, and the program.
struct Image(PathBuf);

impl Image {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("nightlatch-image-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(PROGRAM, folder.join("nightlatch")).unwrap();
        for source in copied_from_the_repository() {
            fs::copy(repository().join(&source), folder.join(Path::new(&source).file_name().unwrap())).unwrap();
        }
        Self(folder)
    }

    fn run(&self, arguments: &[&str], environment: &BTreeMap<String, String>) -> Output {
        let mut command = Command::new(self.0.join("nightlatch"));
        command.args(arguments).env_clear().envs(environment).current_dir(&self.0).output().unwrap()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The sources below `/src` that the last stage of the Dockerfile copies.
fn copied_from_the_repository() -> Vec<String> {
    let dockerfile = read("Dockerfile");
    let copies = dockerfile.lines().filter_map(|line| line.strip_prefix("COPY --from=build "));
    copies.filter_map(|copy| Some(copy.split_whitespace().next()?.strip_prefix("/src/")?.to_owned())).collect()
}

/// The words of a JSON array at the end of a line: `CMD ["a", "b"]`.
fn words(line: &str) -> Vec<String> {
    serde_json::from_str(&line[line.find('[').unwrap()..]).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Whether the program understands its arguments, the first word being its own name.
fn is_understood(words: &[String]) -> bool {
    nightlatch::cli::command().try_get_matches_from(words).is_ok()
}

/// The lines of a compose file below the keys of `path`, without their indentation.
fn section(text: &str, path: &[&str]) -> Vec<String> {
    let mut lines: Vec<&str> =
        text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#')).collect();
    for (depth, key) in path.iter().enumerate() {
        let indent = "  ".repeat(depth);
        let begin = lines.iter().position(|line| *line == format!("{indent}{key}:")).unwrap_or_else(|| panic!("no {key}"));
        let inner = format!("{indent}  ");
        lines = lines[begin + 1..].iter().copied().take_while(|line| line.starts_with(&inner)).collect();
    }
    lines.iter().map(|line| line.trim().to_owned()).collect()
}

/// The environment of the service, with its secrets in files below `secrets`.
fn environment_of_compose(secrets: &Path) -> BTreeMap<String, String> {
    let compose = read("docker-compose.yml");
    let pairs = section(&compose, &["services", "nightlatch", "environment"]);
    let pair = |line: String| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_owned(), value.replace("/run/secrets", secrets.to_str().unwrap()))
    };
    pairs.into_iter().map(pair).collect()
}

#[test]
fn the_program_needs_nothing_but_itself() {
    let image = Image::new("alone");
    let nothing = BTreeMap::new();
    let version = image.run(&["version"], &nothing);
    assert!(version.status.success() && text(&version).contains(env!("CARGO_PKG_VERSION")), "{}", text(&version));
    let example = ["config", "check", "start-dev", "--config-file", "nightlatch.example.toml"];
    for arguments in [&["config", "check", "start-dev"][..], &example] {
        let check = image.run(arguments, &nothing);
        assert!(check.status.success(), "{}", text(&check));
    }
    let production = image.run(&["config", "check"], &nothing);
    assert_eq!(production.status.code(), Some(3));
    for remedy in ["NIGHTLATCH_DB_URL", "NIGHTLATCH_HOSTNAME", "NIGHTLATCH_KEK_FILE"] {
        assert!(text(&production).contains(remedy), "{remedy}: {}", text(&production));
    }
}

#[test]
fn everything_that_the_image_copies_is_there() {
    let copied = copied_from_the_repository();
    assert!(!copied.is_empty());
    for source in copied {
        assert!(repository().join(&source).is_file(), "{source}");
    }
    let dockerfile = read("Dockerfile");
    assert!(
        dockerfile.contains("cp target/release/nightlatch /nightlatch") && dockerfile.contains("COPY --from=build /nightlatch ")
    );
    assert!(dockerfile.lines().any(|line| line.starts_with("USER 1")), "a numeric user that is not root");
}

#[test]
fn the_build_sees_everything_it_needs() {
    let ignored = read(".dockerignore");
    let needed = ["Cargo.toml", "Cargo.lock", "src", "migrations", "templates", "static", "config", ".sqlx", "tests", "benches"];
    for name in needed {
        assert!(!ignored.lines().any(|line| line.trim_end_matches('/') == name), "{name} is ignored");
    }
    assert!(!ignored.contains('*'), "a pattern might hide more than it names; extend this test first");
}

#[test]
fn every_command_of_the_image_exists() {
    let dockerfile = read("Dockerfile");
    let line = |name: &str| dockerfile.lines().rev().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
    let entrypoint = words(line("ENTRYPOINT"));
    assert_eq!(entrypoint, ["/usr/local/bin/nightlatch"]);
    assert!(is_understood(&[entrypoint, words(line("CMD"))].concat()));
    let health = words(line("HEALTHCHECK"));
    assert_eq!(health[0], "/usr/local/bin/nightlatch");
    assert!(is_understood(&health));
}

#[test]
fn every_command_and_variable_of_the_compose_file_exists() {
    let compose = read("docker-compose.yml");
    let service = section(&compose, &["services", "nightlatch"]);
    let command = service.iter().find(|line| line.starts_with("command:")).unwrap();
    assert!(is_understood(&[vec!["nightlatch".to_owned()], words(command)].concat()), "{command}");
    let health = service.iter().find(|line| line.starts_with("test:")).map(|line| words(line)).unwrap();
    assert_eq!(health[0], "CMD");
    assert!(is_understood(&health[1..]), "{health:?}");
    for name in environment_of_compose(Path::new("s")).keys() {
        let known = KEYS.iter().any(|key| {
            *name == key.environment_name() || (key.file_name.is_some() && *name == format!("{}_FILE", key.environment_name()))
        });
        assert!(known, "{name}");
    }
}

#[test]
fn the_compose_file_configures_a_production_server_completely() {
    let image = Image::new("compose");
    for (name, value) in [("db_password", "p\n"), ("kek", KEK), ("admin_password", "a\n")] {
        fs::write(image.0.join(name), value).unwrap();
    }
    let check = image.run(&["config", "check"], &environment_of_compose(&image.0));
    assert!(check.status.success(), "{}", text(&check));
    assert!(text(&check).contains("database: postgres://postgres:5432/nightlatch"), "{}", text(&check));
    assert!(!text(&check).contains(KEK));
}

#[test]
fn every_secret_that_the_compose_file_hands_over_is_declared() {
    let compose = read("docker-compose.yml");
    let declared = section(&compose, &["secrets"]);
    for service in ["postgres", "nightlatch"] {
        let given: Vec<String> =
            section(&compose, &["services", service, "secrets"]).iter().map(|line| line[2..].to_owned()).collect();
        for name in &given {
            assert!(declared.contains(&format!("{name}:")), "{name}");
        }
        for line in section(&compose, &["services", service, "environment"]) {
            if let Some(name) = line.split_once("/run/secrets/").map(|(_, name)| name) {
                assert!(given.iter().any(|given| given == name), "{service}: {name}");
            }
        }
    }
}

/// With a real parser, where Python has one.
#[test]
fn the_compose_file_is_yaml() {
    let python = |script: &str| Command::new("python3").args(["-c", script]).current_dir(repository()).output();
    if python("import yaml").is_ok_and(|output| output.status.success()) {
        let parsed = python("import yaml; print(sorted(yaml.safe_load(open('docker-compose.yml'))['services']))").unwrap();
        assert_eq!(text(&parsed).trim(), "['nightlatch', 'postgres']");
    }
}

/// The files must be readable in the container, for a user that this machine does not know. So the folder has to be closed.
#[test]
fn secrets_made_by_the_recipe_are_read_by_their_owner_only() {
    for name in ["README.md", "docker-compose.yml"] {
        let text = read(name);
        assert!(text.contains("mkdir -p secrets && chmod 700 secrets"), "{name}");
        let modes: Vec<&str> = text.lines().filter_map(|line| line.split_once("chmod ")?.1.strip_suffix(" secrets")).collect();
        assert_eq!(modes, ["700"], "{name}");
    }
}

#[tokio::test]
async fn a_migration_needs_no_key_and_a_sweep_says_that_it_does() {
    let image = Image::new("verbs");
    let nothing = BTreeMap::new();
    let url = empty_database().await;
    let migrated = image.run(&["migrate", "--db-url", &url], &nothing);
    assert!(migrated.status.success(), "{}", text(&migrated));
    for arguments in [&["sweep", "--once", "--db-url", &url][..], &["config", "check", "sweep", "--db-url", &url]] {
        let refused = image.run(arguments, &nothing);
        assert_eq!(refused.status.code(), Some(3), "{}", text(&refused));
        assert!(text(&refused).contains("--kek-file"), "{}", text(&refused));
    }
    let swept = image.run(&["sweep", "--once", "--db-url", &url, "--kek", KEK], &nothing);
    assert!(swept.status.success() && text(&swept).contains("removed 0 offline sessions"), "{}", text(&swept));
}
