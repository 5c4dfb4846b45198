//! `nightlatch healthcheck`: asks the management port whether the server is ready. An image needs no curl for it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::config::HttpSettings;

/// Below the time-outs that container engines use by default.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far above what a health answer holds.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// `Ok` with the answer's body if the server says it is ready, else what is the matter.
pub(super) async fn ask(http: &HttpSettings) -> Result<String, String> {
    let host = reachable(&http.management_host);
    let address = format!("{host}:{}", http.management_port);
    let answer = tokio::time::timeout(PATIENCE, get(host, http.management_port)).await;
    let answer = answer.map_err(|_| format!("no answer from {address} within {} s", PATIENCE.as_secs()))?;
    let answer = answer.map_err(|error| format!("no answer from {address}: {error}"))?;
    verdict(&answer)
}

async fn get(host: &str, port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A server that listens everywhere is asked on the loopback.
fn reachable(host: &str) -> &str {
    match host {
        "0.0.0.0" => "127.0.0.1",
        "::" | "[::]" => "::1",
        host => host,
    }
}

fn verdict(answer: &str) -> Result<String, String> {
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer is no HTTP: does another program listen there?")?;
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(body.trim().to_owned()),
        Some(status) => Err(format!("not ready ({status}): {}", body.trim())),
        None => Err("the answer is no HTTP: does another program listen there?".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn ask_a_server_that_says(answer: &'static str) -> Result<String, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let management_port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap();
            assert!(request[..length].starts_with(b"GET /health/ready HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let (host, management_host) = (String::new(), "0.0.0.0".to_owned());
        ask(&HttpSettings { host, port: 0, management_host, management_port, relative_path: String::new() }).await
    }

    #[tokio::test]
    async fn only_200_is_healthy() {
        let up = "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"status\":\"UP\"}";
        assert_eq!(ask_a_server_that_says(up).await.as_deref(), Ok("{\"status\":\"UP\"}"));
        let down = "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"status\":\"DOWN\"}";
        assert_eq!(ask_a_server_that_says(down).await.unwrap_err(), "not ready (503): {\"status\":\"DOWN\"}");
        assert!(ask_a_server_that_says("SSH-2.0-x\r\n").await.unwrap_err().contains("no HTTP"));
        assert!(ask_a_server_that_says("").await.is_err());
    }
}
