//! S3's answers: what is in them, and what an error means.
//!
//! By status and error code, as the manual's "List of error codes" has them.

use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};
use std::time::Duration;

use crate::BucketError;
use crate::bucket::Object;

/// An answer, whatever its status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
}

/// What an error says.
#[derive(Debug, Default)]
struct Failure {
    code: String,
    message: String,
    /// Where the bucket is, where the Region was the fault.
    region: String,
}

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

impl Answer {
    /// Tells whether it says that there is no such object. A missing bucket is another matter.
    pub(super) fn is_no_such_key(&self) -> bool {
        self.status == 404 && self.failure().code == "NoSuchKey"
    }

    /// Returns it if it is a success.
    pub(super) fn check(self, bucket: &str, region: &str) -> Result<Self, BucketError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let Failure { code, message, region: told } = self.failure();
        let text = match (code.as_str(), message.as_str()) {
            ("", _) => format!("the service answered with HTTP status {}", self.status),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {}", message.trim_end_matches('.')),
        };
        let header = self.headers.get("x-amz-bucket-region").unwrap_or_default();
        let home = if header.is_empty() { told.as_str() } else { header };
        let is_elsewhere = matches!(self.status, 301 | 307)
            || matches!(
                code.as_str(),
                "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"
            );
        Err(match self.status {
            412 => BucketError::Condition,
            409 => BucketError::Conflict,
            _ if is_elsewhere && home != region => {
                let message = match home {
                    "" => format!("the bucket `{bucket}` is not in {region}"),
                    home => format!("the bucket `{bucket}` is in {home}, not in {region}"),
                };
                let hint = match home {
                    "" => "Correct the `region` of the backend.".to_owned(),
                    home => format!("Write `region: {home}` in the backend."),
                };
                BucketError::Refused { message, hint }
            }
            408 | 429 | 500 | 502.. if self.status != 501 => BucketError::Unclear { message: text },
            _ => {
                let hint = HINTS.iter().find(|(known, _)| *known == code);
                let hint = hint.map_or_else(
                    || "Check the `backend` of the spec.".to_owned(),
                    |(_, hint)| (*hint).to_owned(),
                );
                BucketError::Refused { message: text, hint }
            }
        })
    }

    /// Returns the object that was read.
    pub(super) fn object(self) -> Result<Object, BucketError> {
        let etag = self.etag()?;
        let time = |name| DateTime::from_str(self.headers.get(name)?, Format::HttpDate).ok();
        let age = time("date").zip(time("last-modified")).map(|(now, written)| {
            Duration::from_secs(u64::try_from(now.secs() - written.secs()).unwrap_or_default())
        });
        Ok(Object { bytes: self.body, etag, age })
    }

    pub(super) fn etag(&self) -> Result<String, BucketError> {
        let missing = || BucketError::Unclear { message: "the answer has no ETag".to_owned() };
        self.headers.get("etag").map(str::to_owned).ok_or_else(missing)
    }

    /// Adds the keys of a page of a list, and returns what the next page is asked for with.
    pub(super) fn keys(&self, keys: &mut Vec<String>) -> Result<Option<String>, BucketError> {
        let unclear = |error: &dyn std::error::Error| BucketError::Unclear {
            message: format!("the answer could not be read: {error}"),
        };
        let text = std::str::from_utf8(&self.body).map_err(|error| unclear(&error))?;
        let mut next = None;
        let mut read = |name: &str, tag: &mut ScopedDecoder<'_, '_>| {
            match name {
                "NextContinuationToken" => next = Some(try_data(tag)?.into_owned()),
                "Contents" => {
                    while let Some(mut inner) = tag.next_tag() {
                        if inner.start_el().local() == "Key" {
                            keys.push(try_data(&mut inner)?.into_owned());
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        };
        each_member(text, &mut read).map_err(|error| unclear(&error))?;
        Ok(next)
    }

    /// Reads an error. A body that is none, as of a proxy, gives an empty one.
    fn failure(&self) -> Failure {
        let mut failure = Failure::default();
        let mut read = |name: &str, tag: &mut ScopedDecoder<'_, '_>| {
            let member = match name {
                "Code" => &mut failure.code,
                "Message" => &mut failure.message,
                "Region" => &mut failure.region,
                _ => return Ok(()),
            };
            *member = try_data(tag)?.into_owned();
            Ok(())
        };
        let text = std::str::from_utf8(&self.body).unwrap_or_default();
        if each_member(text, &mut read).is_err() {
            return Failure::default();
        }
        failure
    }
}

/// Calls `read` with each member of a document's root.
fn each_member<'a>(
    text: &'a str,
    read: &mut dyn FnMut(&str, &mut ScopedDecoder<'a, '_>) -> Result<(), XmlDecodeError>,
) -> Result<(), XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    while let Some(mut tag) = root.next_tag() {
        let name = tag.start_el().local().to_owned();
        read(&name, &mut tag)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Answer {
        let mut map = Headers::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        Answer { status, headers: map, body: body.as_bytes().to_vec() }
    }

    fn error(status: u16, code: &str) -> BucketError {
        let body = format!(
            "<?xml version='1.0'?><Error><Code>{code}</Code><Message>Why.</Message></Error>"
        );
        answer(status, &[], &body).check("states", "eu-west-1").err().unwrap()
    }

    #[test]
    fn errors_have_kinds_and_cures() {
        assert_eq!(error(412, "PreconditionFailed"), BucketError::Condition);
        assert_eq!(error(409, "ConditionalRequestConflict"), BucketError::Conflict);
        for (status, code) in [(503, "SlowDown"), (500, "InternalError"), (408, "RequestTimeout")] {
            let message = format!("{code}: Why");
            assert_eq!(error(status, code), BucketError::Unclear { message });
        }
        for (status, code, cure) in [
            (403, "AccessDenied", "s3:PutObject"),
            (404, "NoSuchBucket", "aws s3 mb"),
            (403, "RequestTimeTooSkewed", "clock"),
            (501, "NotImplemented", "conditional writes"),
        ] {
            let BucketError::Refused { hint, .. } = error(status, code) else { panic!("{code}") };
            assert!(hint.contains(cure), "{code}: {hint}");
        }
        let page =
            answer(502, &[], "<html>Bad gateway").check("states", "eu-west-1").err().unwrap();
        assert!(matches!(page, BucketError::Unclear { .. }), "{page}");
    }

    #[test]
    fn a_bucket_elsewhere_is_told_where() {
        let region = [("x-amz-bucket-region", "ap-northeast-2")];
        let moved = answer(301, &region, "").check("states", "eu-west-1").err().unwrap();
        let BucketError::Refused { message, hint } = moved else { panic!("{moved}") };
        assert_eq!(message, "the bucket `states` is in ap-northeast-2, not in eu-west-1");
        assert_eq!(hint, "Write `region: ap-northeast-2` in the backend.");
    }

    #[test]
    fn lists_come_in_pages() {
        let body = "<ListBucketResult><Name>states</Name><Contents><Key>a&amp;b</Key><Size>1</Size></Contents>\
            <Contents><Key>c</Key></Contents><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
        let mut keys = Vec::new();
        assert_eq!(answer(200, &[], body).keys(&mut keys), Ok(Some("t".to_owned())));
        assert_eq!(keys, ["a&b", "c"]);
    }

    #[test]
    fn an_objects_age_is_told_by_the_services_own_clock() {
        let headers = [
            ("etag", "\"1\""),
            ("last-modified", "Wed, 25 Nov 2026 10:00:00 GMT"),
            ("date", "Wed, 25 Nov 2026 10:01:05 GMT"),
        ];
        let object = answer(200, &headers, "x").object().unwrap();
        assert_eq!(object.age, Some(Duration::from_secs(65)));
        let object = answer(200, &headers[..1], "x").object().unwrap();
        assert_eq!(object.age, None);
    }
}
