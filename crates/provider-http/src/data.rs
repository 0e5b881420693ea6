//! The `http` data source.
//!
//! # Remote API
//!
//! Whatever the address is. Each attempt makes `requests` requests, one after the other, each over a new connection.
//!
//! # Oddities
//!
//! - Terraform's provider has no `attempts`, `interval`, `requests`, and `distinct_bodies`; they are for checks, which
//!   look at something until it is as it should be. Inside a check it is the check that is tried again, and what is read
//!   here is one attempt.
//! - A status of any kind is an answer. With several requests, one that went wrong stands for all, so that an assertion
//!   on `status_code` is about each of them.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use reconcile_model::schema::{Blocks, Check, Literal, Nesting, Recovery, Timeouts};
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema, Value};
use reconcile_provider::{DataSource, ErrorKind, Patience, ProviderError};
use url::Url;

use crate::Http;
use crate::client::{Answer, NoAnswer, Question, ask, is_web};
use crate::tls::Trust;

/// How long one request may take when the spec does not say.
const TIMEOUT_MS: i64 = 10_000;

/// How long to wait between two attempts when the spec does not say.
const INTERVAL: &str = "5s";

/// The `http` data source.
#[derive(Debug)]
pub(crate) struct HttpData;

/// What `data.http` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "http",
    mode: Mode::Data,
    version: 1,
    doc: "What an address answers: its status, headers, and body.",
    attributes: &[
        Attribute::required("url", Kind::String)
            .check(Check::Rule(is_address))
            .doc("The address, `http://` or `https://`."),
        Attribute::optional("method", Kind::String)
            .default(Literal::String("GET"))
            .check(Check::OneOf(&["GET", "HEAD", "POST"]))
            .doc("What is asked."),
        Attribute::optional("request_headers", Kind::Map(&Kind::String))
            .doc("Headers to send, by name."),
        Attribute::optional("request_body", Kind::String).doc("The body to send."),
        Attribute::optional("request_timeout_ms", Kind::Int)
            .default(Literal::Int(TIMEOUT_MS))
            .check(Check::Range(1, 600_000))
            .doc("How long one request may take, in milliseconds, redirects included."),
        Attribute::optional("retry", Kind::Blocks(&RETRY)),
        Attribute::optional("ca_cert_pem", Kind::String)
            .doc("The authorities to trust instead of the system's, in PEM."),
        Attribute::optional("insecure", Kind::Bool)
            .default(Literal::Bool(false))
            .doc("Whether to take any certificate."),
        Attribute::optional("requests", Kind::Int)
            .default(Literal::Int(1))
            .check(Check::Range(1, 100))
            .doc("How many requests an attempt makes, each over a connection of its own."),
        Attribute::optional("attempts", Kind::Int)
            .default(Literal::Int(1))
            .check(Check::Range(1, 1000))
            .doc("How often to try until every request is answered with a status below 500; in a check, until its assertions hold."),
        Attribute::optional("interval", Kind::String)
            .default(Literal::String(INTERVAL))
            .check(Check::Rule(is_duration))
            .doc("How long to wait between two attempts: `500ms`, `5s`, `1m`."),
        Attribute::computed("id", Kind::String).doc("The address once more."),
        Attribute::computed("status_code", Kind::Int)
            .doc("The status of the answer: of the first that is 400 or above, or else of the last request."),
        Attribute::computed("response_headers", Kind::Map(&Kind::String))
            .doc("Its headers by name, as in `Content-Type`; several of one name are joined by commas."),
        Attribute::computed("response_body", Kind::String)
            .doc("Its body as text. What is no UTF-8 is replaced."),
        Attribute::computed("response_body_base64", Kind::String).doc("Its body in base64."),
        Attribute::computed("distinct_bodies", Kind::List(&Kind::String))
            .doc("The different bodies that the requests of the attempt were answered with, sorted: several behind a load balancer that takes turns."),
    ],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &[],
    iam_write: &[],
};

/// Terraform's `retry` block.
static RETRY: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[
        Attribute::optional("attempts", Kind::Int)
            .default(Literal::Int(0))
            .check(Check::Range(0, 1000))
            .doc("How often one request is made again that was not answered, or with a status of 500 and above."),
        Attribute::optional("min_delay_ms", Kind::Int)
            .default(Literal::Int(1000))
            .check(Check::Range(0, 600_000))
            .doc("How long to wait before the first time, in milliseconds; twice as long before each further one."),
        Attribute::optional("max_delay_ms", Kind::Int)
            .default(Literal::Int(30_000))
            .check(Check::Range(0, 600_000))
            .doc("The longest wait, in milliseconds."),
    ],
};

#[async_trait]
impl DataSource<Http> for HttpData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Http, config: &Object) -> Result<Object, ProviderError> {
        let Patience { attempts, interval } = self.patience(config);
        let mut attempt = 1;
        loop {
            let result = answers(cx, config).await;
            let is_good = result.as_ref().is_ok_and(|answers| !answers.iter().any(is_server_error));
            if is_good || attempt >= attempts {
                return result.map(|answers| object(config, &answers));
            }
            attempt += 1;
            tokio::time::sleep(interval).await;
        }
    }

    fn patience(&self, config: &Object) -> Patience {
        let attempts = config.i64("attempts").and_then(|given| u32::try_from(given).ok());
        let interval = duration(config.str("interval").unwrap_or(INTERVAL));
        Patience { attempts: attempts.unwrap_or(1).max(1), interval: interval.unwrap_or_default() }
    }

    async fn look(&self, cx: &Http, config: &Object) -> Result<Object, ProviderError> {
        answers(cx, config).await.map(|answers| object(config, &answers))
    }
}

/// Makes all requests of one attempt, as far as the first that is not answered.
async fn answers(cx: &Http, config: &Object) -> Result<Vec<Answer>, ProviderError> {
    let operation = operation(config);
    let about = ObjectId::from(config.str("url").unwrap_or_default());
    let question = question(config)
        .map_err(|message| ProviderError::new(ErrorKind::Invalid, operation, message))?;
    let requests = config.i64("requests").unwrap_or(1);
    let mut answers = Vec::new();
    for _ in 0..requests {
        let answer = retried(cx, config.block("retry"), &question).await;
        answers.push(answer.map_err(|NoAnswer { message, hint }| {
            let error = ProviderError::new(ErrorKind::Failed, operation, message).about(&about);
            match hint {
                Some(hint) => error.hint(hint),
                None => error,
            }
        })?);
    }
    Ok(answers)
}

/// Makes one request, and makes it again as `retry` says.
async fn retried(
    cx: &Http,
    retry: Option<&Object>,
    question: &Question,
) -> Result<Answer, NoAnswer> {
    let number = |name: &str, default: u64| {
        let given = retry.and_then(|retry| retry.i64(name));
        given.and_then(|given| u64::try_from(given).ok()).unwrap_or(default)
    };
    let mut left = number("attempts", 0);
    let longest = Duration::from_millis(number("max_delay_ms", 30_000));
    let mut delay = Duration::from_millis(number("min_delay_ms", 1000)).min(longest);
    loop {
        cx.requests.fetch_add(1, Ordering::Relaxed);
        let result = ask(question).await;
        let is_good = result.as_ref().is_ok_and(|answer| !is_server_error(answer));
        if is_good || left == 0 {
            return result;
        }
        left -= 1;
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(longest);
    }
}

fn is_server_error(answer: &Answer) -> bool {
    answer.status.is_server_error()
}

fn operation(config: &Object) -> &'static str {
    match config.str("method") {
        Some("HEAD") => "HEAD",
        Some("POST") => "POST",
        _ => "GET",
    }
}

/// Returns what is asked.
///
/// # Errors
///
/// When an argument makes no request. The message names the argument, and not its value, which may be secret.
fn question(config: &Object) -> Result<Question, String> {
    let url = Url::parse(config.str("url").unwrap_or_default())
        .ok()
        .filter(is_web)
        .ok_or("`url` is no address that begins with http:// or https://")?;
    let mut headers = HeaderMap::new();
    for (name, value) in config.string_map("request_headers") {
        let name = HeaderName::try_from(name)
            .map_err(|_| "`request_headers` has a name that no header can have")?;
        let value = HeaderValue::try_from(value)
            .map_err(|_| format!("the header `{name}` has a value that cannot be sent"))?;
        headers.insert(name, value);
    }
    let trust = match config.str("ca_cert_pem") {
        _ if config.bool("insecure") == Some(true) => Trust::Anybody,
        Some(pem) => Trust::Authorities(pem.to_owned()),
        None => Trust::System,
    };
    let timeout = config.i64("request_timeout_ms").unwrap_or(TIMEOUT_MS);
    Ok(Question {
        url,
        method: match operation(config) {
            "HEAD" => Method::HEAD,
            "POST" => Method::POST,
            _ => Method::GET,
        },
        headers,
        body: Bytes::from(config.string("request_body").unwrap_or_default()),
        timeout: Duration::from_millis(u64::try_from(timeout).unwrap_or_default()),
        trust,
    })
}

/// Returns the data source's object: the arguments, and what the answers say.
fn object(config: &Object, answers: &[Answer]) -> Object {
    let mut object = config.clone();
    for attribute in SCHEMA.attributes {
        if let (None, Some(default)) = (object.get(attribute.name), attribute.default) {
            object.set(attribute.name, default.value());
        }
    }
    object.set("id", config.value("url").clone());
    let bad = answers.iter().find(|it| it.status.as_u16() >= 400);
    let Some(shown) = bad.or(answers.last()) else { return object };
    let text = |body: &Bytes| String::from_utf8_lossy(body).into_owned();
    let headers: Object =
        shown.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    let distinct: BTreeSet<String> = answers.iter().map(|answer| text(&answer.body)).collect();
    object.set("status_code", i64::from(shown.status.as_u16()));
    object.set("response_headers", headers);
    object.set("response_body", text(&shown.body));
    object.set("response_body_base64", STANDARD.encode(&shown.body));
    object.set("distinct_bodies", Value::List(distinct.into_iter().map(Value::from).collect()));
    object
}

fn is_address(value: &Value) -> Result<(), String> {
    let parsed = value.as_str().and_then(|text| Url::parse(text).ok());
    match parsed.filter(is_web) {
        Some(_) => Ok(()),
        None => Err("must be an address that begins with `http://` or `https://`".to_owned()),
    }
}

fn is_duration(value: &Value) -> Result<(), String> {
    match value.as_str().and_then(duration) {
        Some(_) => Ok(()),
        None => Err("must be a time, such as `500ms`, `5s`, or `1m`".to_owned()),
    }
}

/// Reads a time: a whole number of `ms`, `s`, or `m`.
fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    match &text[digits..] {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_secs(number.checked_mul(60)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
