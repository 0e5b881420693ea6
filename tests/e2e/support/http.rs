//! As much of an HTTP client as the emulator's controls need.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// Sends a request to the emulator, which must succeed, and returns the JSON it answers with.
#[track_caller]
pub(super) fn request(endpoint: &str, method: &str, path: &str, body: Option<&Value>) -> Value {
    let host = endpoint.strip_prefix("http://").expect("the emulator speaks plain HTTP");
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut stream = TcpStream::connect(host).expect("the emulator listens");
    // Longer than any request asks the emulator to wait for something.
    stream.set_read_timeout(Some(Duration::from_secs(120))).expect("a time is set");
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len(),
    )
    .expect("the emulator reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the emulator answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    assert!(status == "200", "{method} {path} answered {status}: {body}");
    serde_json::from_str(body).expect("the emulator answers with JSON")
}
