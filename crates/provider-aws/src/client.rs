//! The clients, and the one way every call goes.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::http::Response;
use reconcile_model::Object;
use reconcile_provider::registry::Clients;
use reconcile_provider::{ErrorKind, ProviderError, backoff::Backoff};
use tokio::sync::OnceCell;

use crate::call::{Buckets, Call, Class};
use crate::shared::Shared;
use crate::{errors, filters};

/// How often a call that certainly was not executed, or changes nothing, is made again before the error is passed on.
const ATTEMPTS: u32 = 8;

/// The clients of one provider configuration. Nothing is resolved or connected before the first call.
#[derive(Debug)]
pub struct Aws {
    profile: Option<String>,
    region: Option<String>,
    connected: OnceCell<Connected>,
    account: OnceCell<Option<String>>,
    buckets: Buckets,
    calls: AtomicU64,
    stack: String,
    /// Calls that several changes share.
    pub(crate) shared: Shared,
}

const DESCRIBE_SECURITY_GROUPS: Call = Call::read("DescribeSecurityGroups");

#[derive(Debug)]
struct Connected {
    region: String,
    ec2: aws_sdk_ec2::Client,
    elbv2: aws_sdk_elasticloadbalancingv2::Client,
}

impl Aws {
    /// Returns clients for a stack and the arguments of a `provider` block.
    pub fn new(stack: &str, arguments: &Object) -> Self {
        Self {
            stack: stack.to_owned(),
            shared: Shared::new(),
            profile: arguments.string("profile"),
            region: arguments.string("region"),
            connected: OnceCell::new(),
            account: OnceCell::new(),
            buckets: Buckets::new(arguments.f64("rate_limit_multiplier").unwrap_or(1.0)),
            calls: AtomicU64::new(0),
        }
    }

    /// Makes an EC2 call.
    ///
    /// `send` is called again for each attempt: a throttled call was not executed, and a read can be repeated.
    pub(crate) async fn ec2<O, E, F, Fut>(&self, call: Call, send: F) -> Result<O, ProviderError>
    where
        F: Fn(&aws_sdk_ec2::Client) -> Fut + Send + Sync,
        Fut: Future<Output = Result<O, SdkError<E, Response>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        O: Send,
    {
        let connected = self.connect().await?;
        self.attempts(call, || send(&connected.ec2)).await
    }

    /// Makes an ELBv2 call; see [`Aws::ec2`].
    pub(crate) async fn elbv2<O, E, F, Fut>(&self, call: Call, send: F) -> Result<O, ProviderError>
    where
        F: Fn(&aws_sdk_elasticloadbalancingv2::Client) -> Fut + Send + Sync,
        Fut: Future<Output = Result<O, SdkError<E, Response>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        O: Send,
    {
        let connected = self.connect().await?;
        self.attempts(call, || send(&connected.elbv2)).await
    }

    /// Returns the Region, resolving it if that was not done yet.
    pub(crate) async fn region_name(&self) -> Result<String, ProviderError> {
        Ok(self.connect().await?.region.clone())
    }

    /// Returns the stack whose objects are tagged with its name.
    pub(crate) fn stack(&self) -> &str {
        &self.stack
    }

    /// Waits until what counts against a limit besides calls may be used.
    pub(crate) async fn count(&self, class: Class) {
        self.buckets.take(class).await;
    }

    /// Returns the account's id, for the ARNs of objects whose answers do not tell their owner; asked once.
    ///
    /// EC2 tells it with any object that has an owner: with the default security group, which each VPC has and nobody
    /// can delete. `None` where the Region has no VPC.
    pub(crate) async fn account(&self) -> Result<Option<&str>, ProviderError> {
        Ok(self.account.get_or_try_init(|| self.ask_account()).await?.as_deref())
    }

    async fn ask_account(&self) -> Result<Option<String>, ProviderError> {
        let output = self
            .ec2(DESCRIBE_SECURITY_GROUPS, |ec2| {
                ec2.describe_security_groups()
                    .filters(filters::exactly("group-name", ["default"]))
                    .max_results(5)
                    .send()
            })
            .await?;
        Ok(output.security_groups().iter().find_map(|group| group.owner_id()).map(str::to_owned))
    }

    async fn attempts<O, E, F, Fut>(&self, call: Call, send: F) -> Result<O, ProviderError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<O, SdkError<E, Response>>> + Send,
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut attempt = 0;
        loop {
            self.buckets.take(call.class).await;
            self.calls.fetch_add(1, Ordering::Relaxed);
            attempt += 1;
            let error = match send().await {
                Ok(output) => {
                    self.buckets.accepted(call.class);
                    return Ok(output);
                }
                Err(error) => errors::classify(call, error),
            };
            let again = match error.kind {
                ErrorKind::Throttled => {
                    self.buckets.throttled(call.class);
                    true
                }
                ErrorKind::Transient => call.class.is_read(),
                ErrorKind::NotFound
                | ErrorKind::MissingReference
                | ErrorKind::AlreadyExists
                | ErrorKind::InUse
                | ErrorKind::NotReady
                | ErrorKind::Capacity
                | ErrorKind::Quota
                | ErrorKind::Denied
                | ErrorKind::Invalid
                | ErrorKind::Failed => false,
            };
            if !again || attempt >= ATTEMPTS {
                return Err(error);
            }
            tokio::time::sleep(Backoff::SERVICE.delay(attempt, fastrand::f64())).await;
        }
    }

    /// Resolves Region and credentials as `aws-config` does, once.
    async fn connect(&self) -> Result<&Connected, ProviderError> {
        self.connected.get_or_try_init(|| self.resolve()).await
    }

    async fn resolve(&self) -> Result<Connected, ProviderError> {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            // The reconciler owns retries: it knows which calls may be repeated, and the SDK does not.
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(5))
                    .read_timeout(Duration::from_secs(30))
                    .operation_attempt_timeout(Duration::from_secs(60))
                    .build(),
            );
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let config = loader.load().await;
        let region = config.region().map(ToString::to_string).ok_or_else(errors::no_region)?;
        errors::check_region(&region)?;
        errors::check_endpoint(config.endpoint_url())?;
        errors::check_credentials(&config).await?;
        Ok(Connected {
            region,
            ec2: aws_sdk_ec2::Client::new(&config),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(&config),
        })
    }
}

impl Clients for Aws {
    fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    fn region(&self) -> Option<String> {
        self.connected
            .get()
            .map(|connected| connected.region.clone())
            .or_else(|| self.region.clone())
    }
}
