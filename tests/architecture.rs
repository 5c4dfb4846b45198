//! The layers and the house rules, read from the source text. Adding an arrow means editing the table below in the same commit
//! and saying why; `docs/architecture.md` shows the same table.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which top-level modules each one may name, itself aside.
const LAYERS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("model", &["base"]),
    ("config", &["base", "model"]),
    ("jose", &["base", "model"]),
    ("oidc", &["base", "model"]),
    ("store", &["base", "model"]),
    ("view", &["base", "model"]),
    ("telemetry", &["base", "config"]),
    ("flow", &["base", "model", "jose", "oidc", "store", "telemetry"]),
    // config: the router is handed the host name and the proxies that are believed, as the settings have read them.
    // store: its error, which becomes 503, and plain reads and writes of administration and account.
    ("http", &["base", "model", "config", "jose", "oidc", "store", "view", "flow", "telemetry"]),
    ("sweeper", &["base", "flow", "store", "telemetry"]),
    ("cli", &["base", "model", "config", "jose", "oidc", "store", "view", "telemetry", "flow", "http", "sweeper"]),
];

/// Foreign names that only some layers may use: the name, the layers, and why.
const FOREIGN: &[(&str, &[&str], &str)] = &[
    ("axum", &["http", "cli"], "HTTP types stay at the edge"),
    ("tower", &["http", "cli"], "HTTP types stay at the edge"),
    ("tower_http", &["http", "cli"], "HTTP types stay at the edge"),
    ("hyper", &["http", "cli"], "HTTP types stay at the edge"),
    ("hyper_util", &["http", "cli"], "HTTP types stay at the edge"),
    ("reqwest", &["flow"], "requests to others leave by one file, flow/outgoing.rs"),
    ("lettre", &["flow"], "letters leave by one file, flow/mail.rs"),
    ("sqlx", &["store"], "SQL lives in store, and is checked"),
    ("jsonwebtoken", &["jose"], "tokens are signed and read in jose"),
    ("minijinja", &["view"], "pages are drawn in view"),
    ("anyhow", &["cli"], "every other layer has errors with names"),
    ("clap", &["config", "cli"], "the command line is read there"),
];

/// Files that may read the process's surroundings outside `config`, and why.
const ENVIRONMENT: &[(&str, &str)] =
    &[("cli/embedded/owner.rs", "starts this very program again as the guard of the embedded database")];

/// A production file aims at 60 to 250 lines.
const MOST_LINES: usize = 350;

/// Files that may be longer, by how much, and why. The list may only shrink.
const LONG_FILES: &[(&str, usize, &str)] = &[];

/// Files whose production code may hold this many `expect` calls, each on something that cannot fail, and why.
const EXPECTS: &[(&str, usize, &str)] = &[
    ("base/entropy.rs", 1, "no random bytes from the operating system: nothing can go on"),
    ("base/sealing.rs", 2, "lengths that are constants"),
    ("flow/new_realm.rs", 1, "an embedded file, read by a test"),
    ("jose/key.rs", 2, "the algorithm was matched a line before"),
    ("model/realm.rs", 1, "an embedded file, read by a test"),
    ("oidc/user_rules.rs", 1, "a pattern that is a constant, used by a test"),
    ("telemetry/metrics.rs", 1, "a list of buckets that is a constant"),
    ("view/adapter_page.rs", 1, "an embedded page, read by a test"),
    ("view/templates.rs", 2, "embedded templates, rendered by a test"),
];

struct Source {
    /// Relative to `src`, with `/`.
    path: String,
    /// The top-level module; `None` for `lib.rs` and `main.rs`.
    layer: Option<String>,
    whole: String,
}

impl Source {
    /// Files that are compiled for tests only.
    fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.ends_with("_tests.rs")
            || ["tests.rs", "testing.rs", "algorithm_confusion.rs"].contains(&name)
            || self.path.contains("/tests/")
    }

    /// The lines before the module of tests at the file's end, numbered from 1; none of a file that is for tests only.
    fn production(&self) -> Vec<(usize, &str)> {
        if self.is_test() {
            return Vec::new();
        }
        let lines: Vec<&str> = self.whole.lines().collect();
        let opens_tests = |at: usize| {
            let mut rest = lines[at + 1..].iter().skip_while(|line| line.starts_with("#["));
            rest.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        };
        let end = (0..lines.len()).find(|&at| lines[at] == "#[cfg(test)]" && opens_tests(at)).unwrap_or(lines.len());
        lines[..end].iter().enumerate().map(|(at, line)| (at + 1, *line)).collect()
    }

    /// All lines of code, those of tests included; comments left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.whole.lines().enumerate().filter(|(_, line)| !is_comment(line)).map(|(at, line)| (at + 1, line))
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    found.sort();
    let sources: Vec<Source> = found.iter().map(|file| read(&root, file)).collect();
    assert!(sources.len() > 50, "src/ was not found: the rules were checked on nothing");
    sources
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

fn read(root: &Path, file: &Path) -> Source {
    let path = file.strip_prefix(root).expect("it was found below src/").to_string_lossy().replace('\\', "/");
    let top = path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned();
    let layer = (!["lib", "main"].contains(&top.as_str()) || path.contains('/')).then_some(top);
    Source { whole: std::fs::read_to_string(file).expect("source files are UTF-8"), path, layer }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The byte offsets at which `name` stands as a word of its own.
fn words<'a>(line: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    line.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |&at| !line[..at].ends_with(is_word) && !line[at + name.len()..].starts_with(is_word))
}

/// The top-level modules that a text names as `crate::x` or within `crate::{x, y::z}`.
fn named_modules(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for at in words(text, "crate").collect::<Vec<_>>() {
        let Some(rest) = text[at + "crate".len()..].strip_prefix("::") else { continue };
        let Some(list) = rest.strip_prefix('{') else {
            named.insert(rest.chars().take_while(|&c| is_word(c)).collect());
            continue;
        };
        let (mut depth, mut name, mut first) = (1, String::new(), true);
        for c in list.chars() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => first = true,
                c if depth == 1 && first && is_word(c) => name.push(c),
                c if c.is_whitespace() => continue,
                _ => first = false,
            }
            if !name.is_empty() && !is_word(c) {
                named.insert(std::mem::take(&mut name));
            }
            if depth == 0 {
                break;
            }
        }
    }
    named.retain(|name| !name.is_empty());
    named
}

fn fail_on(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// What each layer names, with one file that does.
fn arrows(sources: &[Source]) -> BTreeMap<(String, String), String> {
    let mut arrows = BTreeMap::new();
    for source in sources {
        let Some(layer) = &source.layer else { continue };
        let code: String = source.code().flat_map(|(_, line)| [line, "\n"]).collect();
        for named in named_modules(&code) {
            if named != *layer {
                arrows.entry((layer.clone(), named)).or_insert_with(|| source.path.clone());
            }
        }
    }
    arrows
}

#[test]
fn every_layer_names_only_what_the_table_allows() {
    let sources = sources();
    let table: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut problems = Vec::new();
    for layer in sources.iter().filter_map(|s| s.layer.as_deref()).collect::<BTreeSet<_>>() {
        if !table.contains_key(layer) {
            problems.push(format!("src/{layer} is no layer: add it to LAYERS and to docs/architecture.md, or move its files"));
        }
    }
    for ((from, to), file) in arrows(&sources) {
        if let Some(allowed) = table.get(from.as_str())
            && !allowed.contains(&to.as_str())
        {
            problems.push(format!(
                "src/{file}: {from} may not name crate::{to} (allowed: {}): move the code to a layer that may, or change LAYERS \
                 and docs/architecture.md and say why",
                allowed.join(", ")
            ));
        }
    }
    fail_on(problems);
}

#[test]
fn no_layer_is_reached_by_climbing_to_the_root() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|s| s.layer.is_some()) {
        let parts = source.path.split('/').count() - usize::from(source.path.ends_with("/mod.rs"));
        let to_the_root = "super::".repeat(parts);
        for (at, line) in source.production() {
            if !is_comment(line) && line.contains(&to_the_root) {
                problems.push(format!("src/{}:{at}: {to_the_root} is the crate's root: write crate:: instead", source.path));
            }
        }
    }
    fail_on(problems);
}

#[test]
fn layers_form_no_cycle() {
    let arrows = arrows(&sources());
    let mut left: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).collect();
    loop {
        let free = |name: &&str| !arrows.keys().any(|(from, to)| from == name && left.contains(to.as_str()));
        let Some(next) = left.iter().copied().find(free) else { break };
        left.remove(next);
    }
    assert!(left.is_empty(), "these layers name each other in a circle: {left:?}; take one arrow out");
}

#[test]
fn the_table_itself_is_in_docs_architecture() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md")).unwrap();
    let mut problems = Vec::new();
    for (layer, allowed) in LAYERS {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{layer}` |")));
        let Some(row) = row else {
            problems.push(format!("docs/architecture.md: the layer table has no row that begins with | `{layer}` |"));
            continue;
        };
        let may = row.split('|').nth(2).unwrap_or_default();
        let told: BTreeSet<&str> = may.split(',').map(str::trim).filter(|name| !["–", "everything"].contains(name)).collect();
        if *layer != "cli" && told != allowed.iter().copied().collect() {
            problems.push(format!("docs/architecture.md: {layer} may name {allowed:?}, but the row says {told:?}"));
        }
    }
    fail_on(problems);
}

#[test]
fn foreign_crates_stay_in_their_layers() {
    let mut problems = Vec::new();
    for source in sources() {
        for (name, layers, why) in FOREIGN {
            if source.layer.as_deref().is_some_and(|layer| layers.contains(&layer)) {
                continue;
            }
            for (at, line) in source.code() {
                if words(line, name).any(|start| line[start + name.len()..].starts_with("::")) {
                    problems.push(format!("src/{}:{at}: {name} only in {}: {why}", source.path, layers.join(", ")));
                }
            }
        }
    }
    fail_on(problems);
}

#[test]
fn only_config_looks_at_the_environment() {
    let mut problems = Vec::new();
    for source in sources() {
        let allowed = ENVIRONMENT.iter().any(|(file, _)| *file == source.path);
        if allowed || source.layer.as_deref() == Some("config") {
            continue;
        }
        for (at, line) in source.production() {
            if !is_comment(line) && line.contains("std::env") {
                problems.push(format!("src/{}:{at}: read it in config and hand it in", source.path));
            }
        }
    }
    fail_on(problems);
}

#[test]
fn no_file_is_too_long() {
    let mut problems = Vec::new();
    for source in sources() {
        let exception = LONG_FILES.iter().find(|(file, ..)| *file == source.path);
        let most = exception.map_or(MOST_LINES, |(_, most, _)| *most);
        let lines = source.production().len();
        if lines > most {
            problems.push(format!("src/{}: {lines} lines without tests, {most} are allowed: split it by noun", source.path));
        }
        if exception.is_some() && lines <= MOST_LINES {
            problems.push(format!("src/{}: {lines} lines: take it off LONG_FILES", source.path));
        }
    }
    fail_on(problems);
}

#[test]
fn every_file_says_first_what_it_owns() {
    let lacking = sources().into_iter().filter(|source| !source.is_test() && !source.whole.starts_with("//! "));
    fail_on(
        lacking.map(|s| format!("src/{}: begin it with a //! comment: what it owns, what it must not know", s.path)).collect(),
    );
}

#[test]
fn nothing_panics_on_purpose_outside_tests() {
    let mut problems = Vec::new();
    for source in sources() {
        let mut expects = Vec::new();
        for (at, line) in source.production().into_iter().filter(|(_, line)| !is_comment(line)) {
            for call in [".unwrap()", "panic!(", "unreachable!("] {
                if line.contains(call) {
                    problems.push(format!("src/{}:{at}: {call}: return an error that has a name", source.path));
                }
            }
            expects.extend(line.contains(".expect(").then_some(at));
        }
        let allowed = EXPECTS.iter().find(|(file, ..)| *file == source.path).map_or(0, |(_, count, _)| *count);
        if expects.len() > allowed {
            problems.push(format!(
                "src/{}: expect at lines {expects:?}, {allowed} allowed: return an error, or add to EXPECTS why it cannot fail",
                source.path
            ));
        }
        if expects.len() < allowed {
            problems.push(format!("src/{}: {} expect calls: lower its number in EXPECTS", source.path, expects.len()));
        }
    }
    fail_on(problems);
}

#[test]
fn no_text_depends_on_somebodys_machine() {
    let mut problems = Vec::new();
    for source in sources() {
        for (at, line) in source.production() {
            for folder in ["/home/", "/root/", "/work/", "/Users/", "/tmp/"] {
                if line.contains(&format!("\"{folder}")) {
                    problems.push(format!("src/{}:{at}: {folder} is a folder of one machine: take it from config", source.path));
                }
            }
        }
    }
    fail_on(problems);
}

#[test]
fn nothing_is_left_for_later_in_a_comment() {
    let mut problems = Vec::new();
    for source in sources() {
        for (at, line) in source.whole.lines().enumerate() {
            for mark in ["TODO", "FIXME", "XXX"] {
                if words(line, mark).next().is_some() {
                    problems.push(format!(
                        "src/{}:{}: {mark}: do it, or open an issue and take the mark out",
                        source.path,
                        at + 1
                    ));
                }
            }
        }
    }
    fail_on(problems);
}

#[test]
fn every_exception_names_a_file_that_is_there() {
    let paths: BTreeSet<String> = sources().into_iter().map(|s| s.path).collect();
    let named = LONG_FILES.iter().map(|e| e.0).chain(EXPECTS.iter().map(|e| e.0)).chain(ENVIRONMENT.iter().map(|e| e.0));
    let gone = named.filter(|name| !paths.contains(*name));
    fail_on(gone.map(|name| format!("src/{name} is gone: take it off the lists of exceptions")).collect());
}

#[test]
fn names_are_read_from_paths_and_lists() {
    let named = |text| named_modules(text).into_iter().collect::<Vec<_>>();
    assert_eq!(named("use crate::store::{self, Db};"), ["store"]);
    assert_eq!(named("use crate::{base::Clock, model::{Realm, User}, jose};"), ["base", "jose", "model"]);
    assert_eq!(named("pub(crate) fn of(my_crate: u8)"), Vec::<String>::new());
}
