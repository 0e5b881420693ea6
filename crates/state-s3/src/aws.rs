//! The real bucket: S3 through the AWS SDK.

mod connect;
mod errors;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{ByteStream, DateTime, DateTimeFormat};
use aws_sdk_s3::types::ServerSideEncryption;

use crate::bucket::Object;
use crate::{Bucket, BucketError, Condition};

pub(crate) use connect::connect;
use errors::{Failed, unclear};

/// How long a call may take, besides what its content takes.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How many bytes a second a slow line is expected to carry.
const SLOW_LINE: usize = 128 * 1024;

/// A bucket of S3.
#[derive(Debug)]
pub(crate) struct AwsBucket {
    bucket: String,
    region: String,
    kms_key_id: Option<String>,
    client: Client,
}

impl AwsBucket {
    fn error(&self, failed: Failed) -> BucketError {
        failed.error(&self.bucket, &self.region)
    }
}

#[async_trait]
impl Bucket for AwsBucket {
    fn name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    async fn get(&self, key: &str) -> Result<Option<Object>, BucketError> {
        let date = AnswerDate::default();
        let call = self.client.get_object().bucket(&self.bucket).key(key);
        let sent = call.customize().interceptor(date.clone()).send();
        let exchange = async {
            let output = match sent.await.map_err(Failed::from) {
                Ok(output) => output,
                Err(failed) if failed.is_no_such_key() => return Ok(None),
                Err(failed) => return Err(self.error(failed)),
            };
            let age = date.get().zip(output.last_modified).map(|(now, written)| {
                Duration::from_secs(u64::try_from(now.secs() - written.secs()).unwrap_or_default())
            });
            let etag = told(output.e_tag)?;
            let body = output.body.collect().await.map_err(|error| unclear(&error))?;
            Ok(Some(Object { bytes: body.to_vec(), etag, age }))
        };
        in_time(TIMEOUT, exchange).await
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, BucketError> {
        let timeout = TIMEOUT + Duration::from_secs((body.len() / SLOW_LINE) as u64);
        let mut call = self.client.put_object().bucket(&self.bucket).key(key);
        call = match condition {
            Condition::Absent => call.if_none_match("*"),
            Condition::Matches(etag) => call.if_match(etag),
        };
        if let Some(key) = &self.kms_key_id {
            call = call.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(key);
        }
        let exchange = call.body(ByteStream::from(body)).send();
        in_time(timeout, async {
            match exchange.await.map_err(Failed::from) {
                Ok(output) => told(output.e_tag),
                // The object that was to be replaced is gone.
                Err(failed) if failed.is_no_such_key() => Err(BucketError::Condition),
                Err(failed) => Err(self.error(failed)),
            }
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let mut keys = Vec::new();
        let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = call.into_paginator().send();
        while let Some(page) = in_time(TIMEOUT, async { Ok(pages.next().await) }).await? {
            let page = page.map_err(|error| self.error(error.into()))?;
            keys.extend(page.contents.into_iter().flatten().filter_map(|object| object.key));
        }
        keys.sort();
        Ok(keys)
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let exchange = self.client.delete_object().bucket(&self.bucket).key(key).send();
        in_time(TIMEOUT, async {
            match exchange.await.map_err(Failed::from) {
                Err(failed) if !failed.is_no_such_key() => Err(self.error(failed)),
                Ok(_) | Err(_) => Ok(()),
            }
        })
        .await
    }
}

async fn in_time<T>(
    timeout: Duration,
    exchange: impl Future<Output = Result<T, BucketError>> + Send,
) -> Result<T, BucketError> {
    tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| {
        Err(BucketError::Unclear { message: format!("no answer in {} s", timeout.as_secs()) })
    })
}

fn told(etag: Option<String>) -> Result<String, BucketError> {
    etag.ok_or_else(|| BucketError::Unclear { message: "the answer has no ETag".to_owned() })
}

/// When the service says it answered, which the SDK does not hand on.
#[derive(Clone, Debug, Default)]
struct AnswerDate(Arc<OnceLock<DateTime>>);

impl AnswerDate {
    fn get(&self) -> Option<&DateTime> {
        self.0.get()
    }
}

impl Intercept for AnswerDate {
    fn name(&self) -> &'static str {
        "AnswerDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let read = |text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok();
        if let Some(date) = date.and_then(read) {
            self.0.set(date).ok();
        }
        Ok(())
    }
}
