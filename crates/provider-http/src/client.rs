//! One request, over a connection of its own, redirects followed.
//!
//! A load balancer gives each connection to one of its servers: who wants to see all of them must not keep one open.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use url::{Host, Url};

use crate::tls::{self, Trust};

/// The largest body that is read. A page that is checked is small, and what is read is held in memory.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// How many redirects are followed: as many as Go's client follows, which Terraform's provider uses.
const MAX_REDIRECTS: usize = 10;

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
    pub(crate) trust: Trust,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

/// Why there was no answer. The words name nothing that the spec gave: it may be secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    /// A sentence without its full stop.
    pub(crate) message: String,
    /// What the user can do.
    pub(crate) hint: Option<&'static str>,
}

impl NoAnswer {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }
}

/// Asks, and follows redirects.
///
/// # Errors
///
/// When there was no whole answer in time. A status of any kind is an answer.
pub(crate) async fn ask(question: &Question) -> Result<Answer, NoAnswer> {
    let answered = tokio::time::timeout(question.timeout, follow(question)).await;
    answered.unwrap_or_else(|_| {
        let millis = question.timeout.as_millis();
        let time = if millis.is_multiple_of(1000) {
            format!("{} s", millis / 1000)
        } else {
            format!("{millis} ms")
        };
        Err(NoAnswer::new(format!("there was no answer within {time}")))
    })
}

async fn follow(question: &Question) -> Result<Answer, NoAnswer> {
    let mut question = question.clone();
    for _ in 0..=MAX_REDIRECTS {
        let (answer, location) = once(&question).await?;
        let Some(target) = location.filter(|_| answer.status.is_redirection()) else {
            return Ok(answer);
        };
        let target = question.url.join(&target).ok().filter(is_web);
        let Some(target) = target else {
            return Err(NoAnswer::new("it redirects to something that is no web address"));
        };
        if target.host() != question.url.host() || target.scheme() != question.url.scheme() {
            // What proves who asks is not for somebody else.
            for name in [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION] {
                question.headers.remove(name);
            }
        }
        let keeps_method = matches!(
            answer.status,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
        );
        if !keeps_method && question.method == Method::POST {
            question.method = Method::GET;
            question.body = Bytes::new();
        }
        question.url = target;
    }
    Err(NoAnswer::new(format!("it redirects more than {MAX_REDIRECTS} times")))
}

/// Tells whether an address is one that can be asked.
pub(crate) fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

async fn once(question: &Question) -> Result<(Answer, Option<String>), NoAnswer> {
    let url = &question.url;
    let port = url.port_or_known_default().unwrap_or(80);
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err(NoAnswer::new("the address names no host")),
    };
    let addresses: Vec<_> = tokio::net::lookup_host((&*host, port))
        .await
        .map_err(|error| NoAnswer::new(format!("its name does not resolve ({error})")))?
        .collect();
    let stream = TcpStream::connect(&*addresses).await.map_err(|error| {
        NoAnswer::new(if error.kind() == std::io::ErrorKind::ConnectionRefused {
            "the connection was refused".to_owned()
        } else {
            format!("no connection could be made ({error})")
        })
    })?;
    if url.scheme() != "https" {
        return exchange(question, stream).await;
    }
    let name = ServerName::try_from(host)
        .map_err(|_| NoAnswer::new("the host's name cannot be in a certificate"))?;
    let config = tls::config(&question.trust).map_err(NoAnswer::new)?;
    let stream =
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| NoAnswer {
            message: format!("the TLS handshake failed ({error})"),
            hint: Some("If it has an authority of its own, give that as `ca_cert_pem`."),
        })?;
    exchange(question, stream).await
}

async fn exchange<S>(question: &Question, stream: S) -> Result<(Answer, Option<String>), NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: &dyn std::error::Error| {
        NoAnswer::new(format!("the connection broke off ({})", chain(error)))
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|it| broken(&it))?;
    // It ends with the answer, or with us; what goes wrong in it is told to whoever waits for the answer.
    let connection = tokio::spawn(connection);
    let result = async {
        let response = sender.send_request(request(question)).await.map_err(|it| broken(&it))?;
        read(response).await
    }
    .await;
    connection.abort();
    result
}

fn request(question: &Question) -> Request<Full<Bytes>> {
    let url = &question.url;
    let mut target = url.path().to_owned();
    if let Some(query) = url.query() {
        let _ = write!(target, "?{query}");
    }
    let mut host = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        let _ = write!(host, ":{port}");
    }
    let mut request = Request::new(Full::new(question.body.clone()));
    *request.method_mut() = question.method.clone();
    *request.uri_mut() = target.parse().unwrap_or_default();
    let headers = request.headers_mut();
    let agent = concat!("reconcile/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if let Ok(host) = HeaderValue::from_str(&host) {
        headers.insert(header::HOST, host);
    }
    for (name, value) in &question.headers {
        headers.insert(name, value.clone());
    }
    request
}

async fn read(
    response: Response<hyper::body::Incoming>,
) -> Result<(Answer, Option<String>), NoAnswer> {
    let status = response.status();
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    let location = response.headers().get(header::LOCATION).map(text);
    for (name, value) in response.headers() {
        let all = headers.entry(canonical(name)).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&text(value));
    }
    let body = Limited::new(response.into_body(), MAX_BODY).collect().await.map_err(|error| {
        NoAnswer::new(if error.is::<http_body_util::LengthLimitError>() {
            format!("the body is larger than {} MiB", MAX_BODY / 1024 / 1024)
        } else {
            format!("the answer broke off ({})", chain(&*error))
        })
    })?;
    Ok((Answer { status, headers, body: body.to_bytes() }, location))
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// Returns a header's name as Go spells it, and with it Terraform: `Content-Type`.
fn canonical(name: &HeaderName) -> String {
    let part = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_uppercase() + rest
    };
    name.as_str().split('-').map(part).collect::<Vec<_>>().join("-")
}

/// Returns an error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}
