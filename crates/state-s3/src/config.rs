//! The arguments of `backend: s3`.

use std::time::Duration;

/// How long a lease lasts when the spec does not say.
const LEASE: Duration = Duration::from_secs(60);

/// Where in S3 a state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Config {
    /// The bucket.
    pub bucket: String,
    /// The object that holds the snapshot; the others' names begin with it.
    pub key: String,
    /// The bucket's Region; where it is absent, the one that the environment or the profile says.
    pub region: Option<String>,
    /// The address of another service than Amazon's.
    pub endpoint: Option<String>,
    /// The profile of the shared configuration, for the state alone.
    pub profile: Option<String>,
    /// The key that objects are encrypted with; the bucket's own settings hold without it.
    pub kms_key_id: Option<String>,
    /// How long the lock of a run lasts that does not renew it any more.
    pub lease: Duration,
}

impl S3Config {
    /// Returns the place of an object, with everything else as it is when the spec does not say.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            region: None,
            endpoint: None,
            profile: None,
            kms_key_id: None,
            lease: LEASE,
        }
    }

    /// Sets an argument by its name in a spec; `false` when there is none of that name, or it is no such value.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        let text = || Some(value.to_owned());
        match name {
            "bucket" => value.clone_into(&mut self.bucket),
            "key" => value.clone_into(&mut self.key),
            "region" => self.region = text(),
            "endpoint" => self.endpoint = text(),
            "profile" => self.profile = text(),
            "kms_key_id" => self.kms_key_id = text(),
            "lease_seconds" => match value.parse() {
                Ok(seconds) => self.lease = Duration::from_secs(seconds),
                Err(_) => return false,
            },
            _ => return false,
        }
        true
    }
}
