//! Region, credentials, and endpoint, as every AWS tool finds them.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::{Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::HttpConnectorSettings;
use aws_types::service_config::ServiceConfigKey;
use reconcile_state::StateError;

use super::{AwsBucket, Endpoint};
use crate::S3Config;

/// Returns the bucket of a configuration. Nothing is called yet but what credentials need.
///
/// # Errors
///
/// When there is no Region, or the endpoint is no address.
pub(crate) async fn connect(config: &S3Config) -> Result<AwsBucket, StateError> {
    let rustls = || tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let client = aws_smithy_http_client::Builder::new().tls_provider(rustls()).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(client);
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
    let endpoint = match &address {
        None => {
            let (fips, dual) = (sdk.use_fips(), sdk.use_dual_stack());
            Endpoint::amazon(
                &config.bucket,
                &region,
                fips.unwrap_or_default(),
                dual.unwrap_or_default(),
            )
        }
        Some(address) if is_address(address) => Endpoint::other(address, &config.bucket),
        Some(address) => {
            let message = format!("`{address}` is not the address of an endpoint");
            let hint = "Write `endpoint`, or AWS_ENDPOINT_URL_S3, as `https://host`; or leave it out for Amazon S3.";
            return Err(failed(message, hint));
        }
    };
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_secs(30))
        .build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(rustls())
        .build();
    Ok(AwsBucket {
        bucket: config.bucket.clone(),
        region,
        kms_key_id: config.kms_key_id.clone(),
        endpoint,
        config: sdk,
        connector,
        credentials: tokio::sync::Mutex::new(None),
    })
}

fn is_address(endpoint: &str) -> bool {
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':']))
}
