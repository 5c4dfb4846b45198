//! Requests that nobody thought of: to every operation of the Admin REST API what its own description allows, and what it does not.

use std::fs;

use nightlatch::http::api_description;

use crate::support::{TestServer, measured, rounds};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e");

#[tokio::test]
async fn nothing_that_is_sent_makes_the_server_fail_or_answer_as_it_is_not_described() {
    let server = TestServer::start_on_the_wall_clock().await;
    let description = std::env::temp_dir().join(format!("nightlatch-openapi-{}.json", std::process::id()));
    fs::write(&description, api_description().to_string()).unwrap();
    let mut command = tokio::process::Command::new(format!("{FOLDER}/python/bin/python"));
    command.arg(format!("{FOLDER}/fuzz.py")).arg(&server.base).arg(&description).arg(rounds(1, 50).to_string());
    let output = command.output().await.expect("./dev test installs what runs it");
    fs::remove_file(&description).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    measured(format_args!("{}", said.lines().find(|line| line.contains("generated")).expect("requests were sent").trim()));
    server.finish().await;
}
