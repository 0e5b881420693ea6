//! What S3's errors mean, by status and error code, as the manual's "List of error codes" has them.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_xml::decode::{Document, XmlDecodeError, try_data};

use crate::BucketError;

/// What to do about an error, by its code.
const HINTS: [(&str, &str); 12] = [
    ("AccessDenied", DENIED),
    ("AllAccessDisabled", DENIED),
    ("ExpiredToken", EXPIRED),
    ("InvalidAccessKeyId", KEYS),
    ("InvalidToken", KEYS),
    ("KMS.DisabledException", KMS),
    ("KMS.NotFoundException", KMS),
    ("NoSuchBucket", NO_BUCKET),
    ("NotImplemented", CONDITIONS),
    ("RequestTimeTooSkewed", "Set this machine's clock."),
    ("SignatureDoesNotMatch", KEYS),
    ("InvalidBucketName", NO_BUCKET),
];

const DENIED: &str = "Allow s3:GetObject, s3:PutObject, and s3:DeleteObject on the key and what begins with it, and \
    s3:ListBucket on the bucket; docs/backends.md has the policy. `aws sts get-caller-identity` tells who you are.";
const EXPIRED: &str = "Log in again (`aws sso login`, or new temporary credentials).";
const KEYS: &str = "Check the access key and its secret (`aws sts get-caller-identity`).";
const KMS: &str = "Check the backend's `kms_key_id`, and that you may use the key.";
const NO_BUCKET: &str = "Check the backend's `bucket`, or make it: `aws s3 mb s3://NAME --region REGION`, with versioning. \
    reconcile does not make the bucket that keeps its states.";
const CONDITIONS: &str =
    "The service must have conditional writes (`If-None-Match`, `If-Match`), as Amazon S3 has.";

const NO_CREDENTIALS: &str = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`. \
    The backend's `profile` names one for the state alone.";

/// A call that failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    /// The service answered that it does not do it.
    Answer {
        status: u16,
        /// Empty where the answer is none of S3's, as a proxy's.
        code: String,
        message: String,
        /// Where the bucket is, when the answer tells; empty otherwise.
        home: String,
    },
    /// There is no answer.
    NoAnswer(BucketError),
}

impl<E> From<SdkError<E, HttpResponse>> for Failed
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        match &error {
            SdkError::ServiceError(failure) => {
                let answer = failure.raw();
                let header = answer.headers().get("x-amz-bucket-region").map(str::to_owned);
                let body = || region_in(std::str::from_utf8(answer.body().bytes()?).ok()?);
                Self::Answer {
                    status: answer.status().as_u16(),
                    code: failure.err().code().unwrap_or_default().to_owned(),
                    message: failure.err().message().unwrap_or_default().to_owned(),
                    home: header.or_else(body).unwrap_or_default(),
                }
            }
            SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => {
                Self::NoAnswer(not_sent(&error))
            }
            // An answer that cannot be read says nothing of what was done.
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) | _ => {
                Self::NoAnswer(unclear(&error))
            }
        }
    }
}

impl Failed {
    /// Tells whether there is no such object. A missing bucket is another matter.
    pub(super) fn is_no_such_key(&self) -> bool {
        matches!(self, Self::Answer { status: 404, code, .. } if code == "NoSuchKey")
    }

    /// Returns what it means for the bucket `bucket`, which is believed to be in `region`.
    pub(super) fn error(self, bucket: &str, region: &str) -> BucketError {
        let (status, code, message, home) = match self {
            Self::Answer { status, code, message, home } => (status, code, message, home),
            Self::NoAnswer(error) => return error,
        };
        let text = match (code.as_str(), message.as_str()) {
            ("", _) => format!("the service answered with HTTP status {status}"),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {}", message.trim_end_matches('.')),
        };
        let is_elsewhere = matches!(status, 301 | 307)
            || matches!(
                code.as_str(),
                "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
            );
        match status {
            412 => BucketError::Condition,
            409 => BucketError::Conflict,
            _ if is_elsewhere && home != region => {
                let message = match home.as_str() {
                    "" => format!("the bucket `{bucket}` is not in {region}"),
                    home => format!("the bucket `{bucket}` is in {home}, not in {region}"),
                };
                let hint = match home.as_str() {
                    "" => "Correct the `region` of the backend.".to_owned(),
                    home => format!("Write `region: {home}` in the backend."),
                };
                BucketError::Refused { message, hint }
            }
            408 | 429 | 500 | 502.. => BucketError::Unclear { message: text },
            _ => {
                let hint = HINTS.iter().find(|(known, _)| *known == code);
                let hint = hint.map_or("Check the `backend` of the spec.", |(_, hint)| hint);
                BucketError::Refused { message: text, hint: hint.to_owned() }
            }
        }
    }
}

/// Returns what an error means that leaves open what was done.
pub(super) fn unclear(error: &(dyn Error + 'static)) -> BucketError {
    BucketError::Unclear { message: format!("the answer could not be read: {}", innermost(error)) }
}

/// Returns why a call could not be sent, or its answer did not come.
fn not_sent(error: &(dyn Error + 'static)) -> BucketError {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let about_credentials = causes.filter_map(|it| it.downcast_ref::<CredentialsError>()).last();
    match about_credentials {
        None => BucketError::Unclear {
            message: format!("the service cannot be reached: {}", innermost(error)),
        },
        Some(CredentialsError::CredentialsNotLoaded(_)) => {
            no_credentials("no AWS credentials were found")
        }
        Some(error) => no_credentials(&format!(
            "the AWS credentials could not be loaded: {}",
            innermost(error)
        )),
    }
}

fn no_credentials(message: &str) -> BucketError {
    BucketError::Refused { message: message.to_owned(), hint: NO_CREDENTIALS.to_owned() }
}

/// Returns the words of the innermost error of a chain: the outer ones only say that there is one.
fn innermost(error: &dyn Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

/// Returns the Region that an error's body names, which the SDK does not hand on.
fn region_in(body: &str) -> Option<String> {
    let read = || -> Result<Option<String>, XmlDecodeError> {
        let mut document = Document::new(body);
        let mut root = document.root_element()?;
        while let Some(mut tag) = root.next_tag() {
            if tag.start_el().local() == "Region" {
                return Ok(Some(try_data(&mut tag)?.into_owned()));
            }
        }
        Ok(None)
    };
    read().ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: u16, code: &str, home: &str) -> BucketError {
        let (code, message, home) = (code.to_owned(), "Why.".to_owned(), home.to_owned());
        Failed::Answer { status, code, message, home }.error("states", "eu-west-1")
    }

    #[test]
    fn errors_have_kinds_and_cures() {
        assert_eq!(failed(412, "PreconditionFailed", ""), BucketError::Condition);
        assert_eq!(failed(409, "ConditionalRequestConflict", ""), BucketError::Conflict);
        for (status, code) in [(503, "SlowDown"), (500, "InternalError"), (408, "RequestTimeout")] {
            let message = format!("{code}: Why");
            assert_eq!(failed(status, code, ""), BucketError::Unclear { message });
        }
        for (status, code, cure) in [
            (403, "AccessDenied", "s3:PutObject"),
            (404, "NoSuchBucket", "aws s3 mb"),
            (403, "RequestTimeTooSkewed", "clock"),
            (501, "NotImplemented", "conditional writes"),
        ] {
            let BucketError::Refused { hint, .. } = failed(status, code, "") else {
                panic!("{code}")
            };
            assert!(hint.contains(cure), "{code}: {hint}");
        }
        let page = failed(502, "", "");
        assert!(matches!(page, BucketError::Unclear { .. }), "{page}");
    }

    #[test]
    fn a_bucket_elsewhere_is_told_where() {
        let moved = failed(301, "PermanentRedirect", "ap-northeast-2");
        let BucketError::Refused { message, hint } = moved else { panic!("{moved}") };
        assert_eq!(message, "the bucket `states` is in ap-northeast-2, not in eu-west-1");
        assert_eq!(hint, "Write `region: ap-northeast-2` in the backend.");
        let body = "<?xml version='1.0'?><Error><Code>AuthorizationHeaderMalformed</Code>\
            <Message>Why</Message><Region>ap-northeast-2</Region></Error>";
        assert_eq!(region_in(body).as_deref(), Some("ap-northeast-2"));
        assert_eq!(region_in("<html>Bad gateway"), None);
    }

    #[test]
    fn credentials_that_are_missing_are_not_an_unreachable_service() {
        let missing = CredentialsError::not_loaded("none");
        let error =
            SdkError::<aws_sdk_s3::operation::get_object::GetObjectError, _>::construction_failure(
                missing,
            );
        let Failed::NoAnswer(BucketError::Refused { message, hint }) = error.into() else {
            panic!()
        };
        assert_eq!(message, "no AWS credentials were found");
        assert!(hint.contains("aws sso login"), "{hint}");
    }
}
