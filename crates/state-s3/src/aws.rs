//! The real bucket: S3 over HTTPS.
//!
//! Four calls with the SDK's own configuration, signer, and connections. The whole of `aws-sdk-s3` would more than double what
//! has to be compiled for a run that never uses it; see decision 0011.

mod answer;
mod connect;
mod endpoint;

use std::time::Duration;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use crate::bucket::Object;
use crate::{Bucket, BucketError, Condition};

use answer::Answer;
pub(crate) use connect::connect;
use endpoint::Endpoint;

/// How long a call may take, besides what its content takes.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How many bytes a second a slow line is expected to carry.
const SLOW_LINE: usize = 128 * 1024;

/// The time before their end at which credentials are asked for anew.
const EXPIRES_SOON: Duration = Duration::from_secs(300);

/// A bucket of S3.
#[derive(Debug)]
pub(crate) struct AwsBucket {
    bucket: String,
    region: String,
    kms_key_id: Option<String>,
    endpoint: Endpoint,
    config: SdkConfig,
    connector: Connector,
    credentials: tokio::sync::Mutex<Option<Credentials>>,
}

/// One call.
struct Call<'a> {
    method: &'static str,
    key: &'a str,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl<'a> Call<'a> {
    fn new(method: &'static str, key: &'a str) -> Self {
        Self { method, key, query: String::new(), headers: Vec::new(), body: Vec::new() }
    }
}

impl AwsBucket {
    /// Makes a call and returns the answer, whatever its status.
    async fn send(&self, call: Call<'_>) -> Result<Answer, BucketError> {
        let url = self.endpoint.url(call.key, &call.query);
        let timeout = TIMEOUT + Duration::from_secs((call.body.len() / SLOW_LINE) as u64);
        let request = self.signed(&url, call).await?;
        let exchange = async {
            let response = self.connector.call(request).await.map_err(|error| {
                let message = format!("the service cannot be reached: {}", innermost(&error));
                BucketError::Unclear { message }
            })?;
            let status = response.status().as_u16();
            let headers = response.headers().clone();
            let body = ByteStream::new(response.into_body()).collect().await.map_err(|error| {
                let message = format!("the answer could not be read: {}", innermost(&error));
                BucketError::Unclear { message }
            })?;
            Ok(Answer { status, headers, body: body.to_vec() })
        };
        match tokio::time::timeout(timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => {
                let message = format!("no answer in {} s", timeout.as_secs());
                Err(BucketError::Unclear { message })
            }
        }
    }

    async fn signed(&self, url: &str, call: Call<'_>) -> Result<HttpRequest, BucketError> {
        let internal = |error: &dyn std::error::Error| BucketError::Refused {
            message: format!("the request could not be built: {}", innermost(error)),
            hint: "Check the `bucket`, `key`, and `endpoint` of the backend.".to_owned(),
        };
        let credentials = self.credentials().await?;
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let now = self.config.time_source().unwrap_or_default().now();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| internal(&error))?
            .into();
        let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(&call.body);
        let signable = SignableRequest::new(call.method, url, headers, body)
            .map_err(|error| internal(&error))?;
        let (instructions, _) =
            sign(signable, &parameters).map_err(|error| internal(&error))?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(call.body));
        request.set_method(call.method).map_err(|error| internal(&error))?;
        request.set_uri(url).map_err(|error| internal(&error))?;
        for (name, value) in call.headers {
            request.headers_mut().insert(name, value);
        }
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }

    /// Returns credentials that will hold for a while.
    async fn credentials(&self) -> Result<Credentials, BucketError> {
        let now = self.config.time_source().unwrap_or_default().now();
        let mut cached = self.credentials.lock().await;
        let is_good = |it: &Credentials| it.expiry().is_none_or(|at| at > now + EXPIRES_SOON);
        if let Some(credentials) = cached.as_ref().filter(|it| is_good(it)) {
            return Ok(credentials.clone());
        }
        let Some(provider) = self.config.credentials_provider() else {
            return Err(no_credentials("no AWS credentials were found"));
        };
        match provider.provide_credentials().await {
            Ok(credentials) => Ok(cached.insert(credentials).clone()),
            Err(CredentialsError::CredentialsNotLoaded(_)) => {
                Err(no_credentials("no AWS credentials were found"))
            }
            Err(error) => Err(no_credentials(&format!(
                "the AWS credentials could not be loaded: {}",
                innermost(&error)
            ))),
        }
    }

    fn check(&self, answer: Answer) -> Result<Answer, BucketError> {
        answer.check(&self.bucket, &self.region)
    }
}

#[async_trait]
impl Bucket for AwsBucket {
    fn name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    async fn get(&self, key: &str) -> Result<Option<Object>, BucketError> {
        let answer = self.send(Call::new("GET", key)).await?;
        if answer.is_no_such_key() {
            return Ok(None);
        }
        self.check(answer)?.object().map(Some)
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, BucketError> {
        let mut call = Call { body, ..Call::new("PUT", key) };
        call.headers.push(match condition {
            Condition::Absent => ("if-none-match", "*".to_owned()),
            Condition::Matches(etag) => ("if-match", etag.clone()),
        });
        call.headers.push(("content-type", "application/octet-stream".to_owned()));
        if let Some(key) = &self.kms_key_id {
            call.headers.push(("x-amz-server-side-encryption", "aws:kms".to_owned()));
            call.headers.push(("x-amz-server-side-encryption-aws-kms-key-id", key.clone()));
        }
        let answer = self.send(call).await?;
        // The object that was to be replaced is gone.
        if answer.is_no_such_key() {
            return Err(BucketError::Condition);
        }
        self.check(answer)?.etag()
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        loop {
            // In the order of their names, as a signature has them.
            let page = token.as_ref().map_or_else(String::new, |token| {
                format!("continuation-token={}&", endpoint::encoded(token, ""))
            });
            let query = format!("{page}list-type=2&prefix={}", endpoint::encoded(prefix, ""));
            let answer = self.send(Call { query, ..Call::new("GET", "") }).await?;
            token = self.check(answer)?.keys(&mut keys)?;
            if token.is_none() {
                keys.sort();
                return Ok(keys);
            }
        }
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let answer = self.send(Call::new("DELETE", key)).await?;
        if answer.is_no_such_key() {
            return Ok(());
        }
        self.check(answer).map(|_| ())
    }
}

fn no_credentials(message: &str) -> BucketError {
    BucketError::Refused {
        message: message.to_owned(),
        hint: "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`. The backend's \
               `profile` names one for the state alone."
            .to_owned(),
    }
}

/// Returns the words of the innermost error of a chain: the outer ones only say that there is one.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}
