//! Region, credentials, and endpoint, as every AWS tool finds them.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_smithy_http_client::tls;
use aws_types::service_config::ServiceConfigKey;
use reconcile_state::StateError;

use super::AwsBucket;
use crate::S3Config;

/// Returns the bucket of a configuration. Nothing is called yet but what credentials need.
///
/// # Errors
///
/// When there is no Region, or the endpoint is no address.
pub(crate) async fn connect(config: &S3Config) -> Result<AwsBucket, StateError> {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        // Only the store knows whether a write that it repeats is its own.
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(Duration::from_secs(30))
                .build(),
        );
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &config.region {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    let failed = |message: String, hint: &str| StateError::Service {
        action: "reach",
        file: format!("s3://{}/{}", config.bucket, config.key),
        message,
        hint: hint.to_owned(),
    };
    let Some(region) = sdk.region().map(ToString::to_string) else {
        let hint = "Say which: `region` in the backend, or `?region=…` after the place.";
        return Err(failed("no AWS Region is set".to_owned(), hint));
    };
    let key = ServiceConfigKey::builder()
        .service_id("s3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let of_service = key.ok().and_then(|key| sdk.service_config()?.load_config(key));
    let address = config.endpoint.clone().or(of_service);
    let address = address.or_else(|| sdk.endpoint_url().map(str::to_owned));
    if let Some(address) = address.as_ref().filter(|address| !is_address(address)) {
        let message = format!("`{address}` is not the address of an endpoint");
        let hint = "Write `endpoint`, or AWS_ENDPOINT_URL_S3, as `https://host`; or leave it out for Amazon S3.";
        return Err(failed(message, hint));
    }
    let mut s3 = aws_sdk_s3::config::Builder::from(&sdk);
    if let Some(address) = address {
        // Other services seldom have a host name for each bucket.
        s3 = s3.endpoint_url(address).force_path_style(true);
    }
    Ok(AwsBucket {
        bucket: config.bucket.clone(),
        region,
        kms_key_id: config.kms_key_id.clone(),
        client: Client::from_conf(s3.build()),
    })
}

fn is_address(endpoint: &str) -> bool {
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':']))
}
