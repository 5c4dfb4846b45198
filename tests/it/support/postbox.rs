//! A mail server on a socket, which keeps what it is given.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// A letter as it was handed over.
#[derive(Clone, Debug, Default)]
pub struct Letter {
    /// The commands before the letter: who says to be who, and to whom.
    pub envelope: Vec<String>,
    pub raw: String,
}

impl Letter {
    /// A header of the letter itself, unfolded.
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.raw.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let line =
            unfolded.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{}:", name.to_ascii_lowercase())));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    }

    /// The text of a part of this kind, decoded.
    pub fn part(&self, kind: &str) -> String {
        let at = self.raw.find(&format!("Content-Type: {kind}")).unwrap_or_else(|| panic!("no {kind} in {}", self.raw));
        let (head, body) = self.raw[at..].split_once("\r\n\r\n").unwrap();
        let body = body.split("\r\n--").next().unwrap();
        match head.to_ascii_lowercase() {
            head if head.contains("base64") => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
            head if head.contains("quoted-printable") => unquote(body),
            _ => body.to_owned(),
        }
    }

    /// The link in the letter.
    pub fn link(&self) -> String {
        let text = self.part("text/plain");
        let at = text.find("http").unwrap_or_else(|| panic!("no link in {text}"));
        text[at..].split_whitespace().next().unwrap().to_owned()
    }
}

fn unquote(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::new();
    let mut rest = joined.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'=' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[derive(Clone)]
pub struct Postbox {
    pub port: u16,
    kept: Arc<Mutex<Vec<Letter>>>,
    came: Arc<Notify>,
}

impl Postbox {
    /// Listens until the test is over.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let postbox = Self { port: listener.local_addr().unwrap().port(), kept: Arc::default(), came: Arc::new(Notify::new()) };
        let keeper = postbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(keeper.clone().serve(stream));
            }
        });
        postbox
    }

    /// The settings of a realm that sends its letters here.
    pub fn settings(&self) -> Value {
        json!({"host": "127.0.0.1", "port": self.port.to_string(), "from": "login@example.org", "fromDisplayName": "Prüfer"})
    }

    /// The next letter, waited for.
    pub async fn take(&self) -> Letter {
        let wait = async {
            loop {
                let came = self.came.notified();
                let first = {
                    let mut kept = self.kept.lock().unwrap();
                    if kept.is_empty() { None } else { Some(kept.remove(0)) }
                };
                if let Some(letter) = first {
                    return letter;
                }
                came.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect("a letter comes")
    }

    /// How many letters lie there.
    pub fn count(&self) -> usize {
        self.kept.lock().unwrap().len()
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut letter = Letter::default();
        let _ = stream.write_all(b"220 postbox\r\n").await;
        let mut line = String::new();
        while stream.read_line(&mut line).await.is_ok_and(|length| length > 0) {
            let command = std::mem::take(&mut line).trim().to_owned();
            let answer: &[u8] = match command.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => b"250-postbox\r\n250 AUTH PLAIN LOGIN\r\n",
                "AUTH" => b"235 welcome\r\n",
                "DATA" => {
                    let _ = stream.write_all(b"354 go on\r\n").await;
                    while stream.read_line(&mut line).await.is_ok_and(|length| length > 0) && line != ".\r\n" {
                        letter.raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                        line.clear();
                    }
                    line.clear();
                    self.kept.lock().unwrap().push(std::mem::take(&mut letter));
                    self.came.notify_one();
                    b"250 kept\r\n"
                }
                "QUIT" => {
                    let _ = stream.write_all(b"221 bye\r\n").await;
                    return;
                }
                _ => b"250 ok\r\n",
            };
            letter.envelope.push(command);
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}
