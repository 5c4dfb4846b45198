//! What `start-dev` shows once it listens: where everything is, who may sign in, and three lines to copy that get an offline
//! token, use it, and list it.

use crate::config::AdminLogin;

/// What the banner tells. URLs have no slash at their end.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Where the server is reached, relative path included: `http://localhost:8080`.
    pub base_url: &'a str,
    pub management_url: &'a str,
    /// Its address, without user and password.
    pub database: &'a str,
    /// The administrator, if this start knows the password to be in force.
    pub admin: Option<&'a AdminLogin>,
    pub demo: Option<Demo<'a>>,
}

/// The realm that is imported for trying things out.
#[derive(Clone, Debug)]
pub struct Demo<'a> {
    pub realm: &'a str,
    pub username: &'a str,
    pub password: &'a str,
    /// The client with direct access grants.
    pub client_id: &'a str,
    pub client_secret: &'a str,
    /// The id of that client's row, as the Admin REST API wants it.
    pub client_uuid: &'a str,
}

pub fn text(facts: &Facts<'_>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut lines = vec![format!("Nightlatch {version} in development mode: not for production"), String::new()];
    let mut entry = |name: &str, value: &str| lines.push(format!("  {name:<16} {value}"));
    entry("Server", facts.base_url);
    match facts.admin {
        Some(admin) => entry("Administrator", &format!("{} / {}  (realm master)", admin.username, admin.password.expose())),
        None => entry("Administrator", "as set up at an earlier start (realm master)"),
    }
    if let Some(demo) = &facts.demo {
        entry("Realm", &format!("{}/realms/{}", facts.base_url, demo.realm));
        entry("Account console", &format!("{}/realms/{}/account", facts.base_url, demo.realm));
        entry("Admin REST API", &format!("{}/admin/realms/{}", facts.base_url, demo.realm));
        entry("Demo user", &format!("{} / {}", demo.username, demo.password));
    }
    entry("Health, metrics", &format!("{0}/health  {0}/metrics", facts.management_url));
    entry("Database", facts.database);
    if let Some(demo) = &facts.demo {
        let user = demo.username;
        let titles = [
            format!("Get an offline token for {user}:"),
            "Use it for an access token, and keep its successor:".into(),
            "List it, as administrator:".into(),
        ];
        for (title, line) in titles.into_iter().zip(lines_to_copy(facts, demo)) {
            lines.extend([String::new(), format!("  {title}"), line]);
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// Get, use, list. Plain shell, curl and sed; the second line needs the variable that the first one sets.
fn lines_to_copy(facts: &Facts<'_>, demo: &Demo<'_>) -> [String; 3] {
    let token_url = |realm: &str| quote(&format!("{}/realms/{realm}/protocol/openid-connect/token", facts.base_url));
    let client = format!("{} {}", field("client_id", demo.client_id), field("client_secret", demo.client_secret));
    let url = token_url(demo.realm);
    let get = format!(
        "OFFLINE_TOKEN=$(curl -s {url} -d grant_type=password {client} {} {} {} | {}); echo \"$OFFLINE_TOKEN\"",
        field("username", demo.username),
        field("password", demo.password),
        field("scope", "openid offline_access"),
        pick("refresh_token"),
    );
    let redeem = format!(
        "ANSWER=$(curl -s {url} -d grant_type=refresh_token {client} -d \"refresh_token=$OFFLINE_TOKEN\"); echo \"$ANSWER\"; \
         OFFLINE_TOKEN=$(echo \"$ANSWER\" | {})",
        pick("refresh_token"),
    );
    let (admin, password) = match facts.admin {
        Some(admin) => (admin.username.as_str(), field("password", admin.password.expose())),
        None => ("admin", "--data-urlencode \"password=${ADMIN_PASSWORD:?set it first}\"".to_owned()),
    };
    let admin_token = format!(
        "$(curl -s {} -d grant_type=password -d client_id=admin-cli {} {password} | {})",
        token_url("master"),
        field("username", admin),
        pick("access_token"),
    );
    let sessions = format!("{}/admin/realms/{}/clients/{}/offline-sessions", facts.base_url, demo.realm, demo.client_uuid);
    let list = format!("curl -s {} -H \"Authorization: Bearer {admin_token}\"", quote(&sessions));
    [get, redeem, list]
}

/// A form field for curl, encoded where it must be.
fn field(name: &str, value: &str) -> String {
    let pair = quote(&format!("{name}={value}"));
    if value.chars().all(is_plain) { format!("-d {pair}") } else { format!("--data-urlencode {pair}") }
}

/// Takes the value of a key out of a flat JSON object; works without jq and with any sed.
fn pick(key: &str) -> String {
    format!(r#"sed -n 's/.*"{key}":"\([^"]*\)".*/\1/p'"#)
}

fn quote(text: &str) -> String {
    if text.chars().all(|c| is_plain(c) || "=:/".contains(c)) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Secret;
    use std::process::Command;

    fn admin(password: &str) -> AdminLogin {
        AdminLogin { username: "admin".into(), password: Secret::new(password) }
    }

    fn facts<'a>(admin: Option<&'a AdminLogin>, secret: &'a str) -> Facts<'a> {
        let demo = Demo {
            realm: "demo",
            username: "alice",
            password: "alice",
            client_id: "demo-backup",
            client_secret: secret,
            client_uuid: "uuid-1",
        };
        let (base_url, management_url) = ("http://localhost:8080", "http://localhost:9000");
        Facts { base_url, management_url, database: "embedded", admin, demo: Some(demo) }
    }

    /// Runs the three lines in a shell whose curl prints its arguments and a token answer.
    fn run(facts: &Facts<'_>) -> String {
        let curl =
            r#"curl() { for a in "$@"; do echo "arg $a" >&2; done; echo '{"access_token":"acc","refresh_token":"off"}'; }"#;
        let script = format!("{curl}\n{}\n", lines_to_copy(facts, facts.demo.as_ref().unwrap()).join("\n"));
        let output = Command::new("sh").args(["-ec", &script]).output().unwrap();
        assert!(output.status.success(), "{script}");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    #[test]
    fn the_three_lines_work_in_a_plain_shell() {
        let admin = admin("admin");
        let said = run(&facts(Some(&admin), "demo-secret"));
        for line in [
            "off\n",
            "arg scope=openid offline_access\n",
            "arg refresh_token=off\n",
            "arg Authorization: Bearer acc\n",
            "arg http://localhost:8080/admin/realms/demo/clients/uuid-1/offline-sessions\n",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
    }

    #[test]
    fn awkward_secrets_reach_curl_unharmed() {
        let admin = admin("it's $HOME & \"more\"");
        let said = run(&facts(Some(&admin), "a b'c"));
        assert!(said.contains("arg password=it's $HOME & \"more\"\n") && said.contains("arg client_secret=a b'c\n"), "{said}");
    }

    #[test]
    fn the_banner_names_what_there_is_and_nothing_else() {
        let admin = admin("pw");
        let known = text(&facts(Some(&admin), "s"));
        for part in ["http://localhost:8080/realms/demo", "admin / pw", "alice / alice", "http://localhost:9000/health"] {
            assert!(known.contains(part), "{part}\n{known}");
        }
        let mut later = facts(None, "s");
        assert!(text(&later).contains("${ADMIN_PASSWORD:?set it first}"));
        later.demo = None;
        assert!(!text(&later).contains("curl"));
    }
}
