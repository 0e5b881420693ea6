//! The data source against small servers on loopback.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Starts a server that gives each connection the next answer, and the last one from then on. Returns its address and
/// what it was asked.
async fn server(answers: &'static [&'static str]) -> (String, Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let asked = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        let count = AtomicUsize::new(0);
        while let Ok((mut stream, _)) = listener.accept().await {
            let at = count.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            log.lock().unwrap().push(String::from_utf8_lossy(&request[..read]).into_owned());
            if answers[at] == "never" {
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    drop(stream);
                });
                continue;
            }
            stream.write_all(answers[at].as_bytes()).await.unwrap();
        }
    });
    (address, asked)
}

const ONE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nx-a: 1\r\nx-a: 2\r\nContent-Length: 3\r\n\r\none";
const TWO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy";

async fn read(config: Object) -> Result<Object, ProviderError> {
    HttpData.read(&Http::default(), &config).await
}

fn config(url: &str) -> Object {
    Object::new().with("url", url).with("interval", "10ms")
}

#[tokio::test]
async fn an_answer_is_told_in_full() {
    let (url, asked) = server(&[ONE]).await;
    let headers = Object::new().with("X-Token", "hush");
    let config = config(&url)
        .with("method", "POST")
        .with("request_body", "hello")
        .with("request_headers", headers);
    let object = read(config).await.unwrap();
    assert_eq!(object.str("id"), Some(&*url));
    assert_eq!(object.i64("status_code"), Some(200));
    assert_eq!(object.str("response_body"), Some("one"));
    assert_eq!(object.str("response_body_base64"), Some("b25l"));
    let headers = object.string_map("response_headers");
    assert_eq!(headers["Content-Type"], "text/plain");
    assert_eq!(headers["X-A"], "1, 2");
    let request = asked.lock().unwrap()[0].clone();
    assert!(request.starts_with("POST / HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-token: hush\r\n"), "{request}");
    assert!(request.contains("host: 127.0.0.1:"), "{request}");
}

#[tokio::test]
async fn several_requests_tell_several_bodies_and_one_that_went_wrong_stands_for_all() {
    let (url, asked) = server(&[TWO, ONE, TWO, ONE]).await;
    let object = read(config(&url).with("requests", 4)).await.unwrap();
    assert_eq!(object.strings("distinct_bodies"), ["one", "two"]);
    assert_eq!(object.str("response_body"), Some("one"));
    assert_eq!(asked.lock().unwrap().len(), 4);
    let (url, _) = server(&[ONE, BUSY, TWO]).await;
    let object = read(config(&url).with("requests", 3)).await.unwrap();
    assert_eq!(object.i64("status_code"), Some(503));
    assert_eq!(object.str("response_body"), Some("busy"));
    assert_eq!(object.strings("distinct_bodies"), ["busy", "one", "two"]);
}

#[tokio::test]
async fn attempts_and_retries_outlast_a_slow_start() {
    let (url, asked) = server(&[BUSY, BUSY, ONE]).await;
    let object = read(config(&url).with("attempts", 5)).await.unwrap();
    assert_eq!(object.i64("status_code"), Some(200));
    assert_eq!(asked.lock().unwrap().len(), 3);
    let (url, asked) = server(&[BUSY, ONE]).await;
    let retry = Object::new().with("attempts", 2).with("min_delay_ms", 1);
    let object = read(config(&url).with("retry", Value::List(vec![retry.into()]))).await.unwrap();
    assert_eq!(object.i64("status_code"), Some(200));
    assert_eq!(asked.lock().unwrap().len(), 2);
    // The last answer is an answer, whatever its status.
    let (url, _) = server(&[BUSY]).await;
    let object = read(config(&url).with("attempts", 2)).await.unwrap();
    assert_eq!(object.i64("status_code"), Some(503));
    // A check counts its own attempts.
    let (url, asked) = server(&[BUSY]).await;
    let config = config(&url).with("attempts", 9);
    HttpData.look(&Http::default(), &config).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 1);
    let patience = HttpData.patience(&config);
    assert_eq!(patience, Patience { attempts: 9, interval: Duration::from_millis(10) });
}

#[tokio::test]
async fn redirects_are_followed_and_secrets_are_not_sent_along() {
    let (target, asked) = server(&[ONE]).await;
    let answer =
        format!("HTTP/1.1 302 Found\r\nLocation: {target}page?q=1\r\nContent-Length: 0\r\n\r\n");
    // Another name for the same machine is another host.
    let answer = answer.replace("127.0.0.1", "localhost");
    let (url, _) = server(vec![&*answer.leak()].leak()).await;
    let headers = Object::new().with("Authorization", "Bearer hush").with("X-Other", "x");
    let object = read(config(&url).with("request_headers", headers)).await.unwrap();
    assert_eq!(object.str("response_body"), Some("one"));
    let request = asked.lock().unwrap()[0].clone();
    assert!(request.starts_with("GET /page?q=1 HTTP/1.1\r\n"), "{request}");
    assert!(!request.contains("hush") && request.contains("x-other: x"), "{request}");
    let (url, asked) =
        server(&["HTTP/1.1 301 Moved\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"]).await;
    let error = read(config(&url)).await.unwrap_err();
    assert_eq!(error.message, "it redirects more than 10 times");
    assert_eq!(asked.lock().unwrap().len(), 11);
}

#[tokio::test]
async fn what_is_no_answer_says_why() {
    let of = async |config: Object| read(config).await.unwrap_err().message;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let refused = of(config(&format!("http://{free}/"))).await;
    assert_eq!(refused, "the connection was refused");
    let (url, _) = server(&["never"]).await;
    let late = of(config(&url).with("request_timeout_ms", 50)).await;
    assert_eq!(late, "there was no answer within 50 ms");
    let (url, _) = server(&["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"]).await;
    assert!(
        of(config(&url)).await.starts_with("the answer broke off"),
        "{}",
        of(config(&url)).await
    );
    let (url, _) = server(&["this is no HTTP\r\n\r\n"]).await;
    assert!(of(config(&url)).await.starts_with("the connection broke off"));
    let tls = url.replace("http://", "https://");
    let trust = config(&tls).with("insecure", true);
    assert!(of(trust.clone()).await.starts_with("the TLS handshake failed"));
    let pem = config(&tls).with("ca_cert_pem", "no certificate");
    assert_eq!(of(pem).await, "`ca_cert_pem` holds no certificate");
    // What the spec gave is nowhere in the words; it may be secret.
    let secret = read(config("http://hush.invalid/hush")).await.unwrap_err();
    assert!(secret.message.starts_with("its name does not resolve"), "{}", secret.message);
    assert!(!secret.message.contains("hush"), "{}", secret.message);
    let header = Object::new().with("X-Token", "hush\n");
    let error = of(config(&url).with("request_headers", header)).await;
    assert_eq!(error, "the header `x-token` has a value that cannot be sent");
}

#[test]
fn times_and_addresses_are_checked() {
    for good in ["0ms", "500ms", "5s", "2m"] {
        assert!(is_duration(&good.into()).is_ok(), "{good}");
    }
    for bad in ["", "5", "s", "-1s", "5 s", "1h", "99999999999999999999s"] {
        assert!(is_duration(&bad.into()).is_err(), "{bad}");
    }
    for good in ["http://a", "https://[::1]:8443/x?y=z"] {
        assert!(is_address(&good.into()).is_ok(), "{good}");
    }
    for bad in ["", "a", "ftp://a/", "http://", "file:///etc/passwd"] {
        assert!(is_address(&bad.into()).is_err(), "{bad}");
    }
}
