//! Where a bucket is reached.

/// The address of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    /// Scheme, host, and what comes before the key, ending in a slash.
    base: String,
}

/// The digits that bytes are escaped with.
const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// The domains of the partitions other than the commercial one, by what their Regions' names begin with.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
    ("eusc-", "amazonaws.eu"),
];

impl Endpoint {
    /// Returns the address of a bucket of Amazon's.
    pub(super) fn amazon(bucket: &str, region: &str, fips: bool, dual_stack: bool) -> Self {
        let domain = DOMAINS.iter().find(|(prefix, _)| region.starts_with(prefix));
        let domain = domain.map_or("amazonaws.com", |(_, domain)| domain);
        let fips = if fips { "-fips" } else { "" };
        let stack = if dual_stack { ".dualstack" } else { "" };
        let host = format!("s3{fips}{stack}.{region}.{domain}");
        // The certificate covers one name below the host, so a bucket with a dot in its name goes into the path.
        let base = if bucket.contains('.') {
            format!("https://{host}/{}/", encoded(bucket, ""))
        } else {
            format!("https://{bucket}.{host}/")
        };
        Self { base }
    }

    /// Returns the address of a bucket of another service.
    pub(super) fn other(address: &str, bucket: &str) -> Self {
        Self { base: format!("{}/{}/", address.trim_end_matches('/'), encoded(bucket, "")) }
    }

    /// Returns the address of an object, or, for an empty key, of the bucket.
    pub(super) fn url(&self, key: &str, query: &str) -> String {
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{query}", self.base, encoded(key, "/"))
    }
}

/// Returns a text with everything escaped but letters, digits, `-`, `.`, `_`, `~`, and what is in `also`.
pub(super) fn encoded(text: &str, also: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || (c.is_ascii() && also.contains(c)) {
            encoded.push(c);
        } else {
            encoded.push('%');
            encoded
                .extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_have_addresses() {
        let amazon =
            |bucket, region| Endpoint::amazon(bucket, region, false, false).url("a/b c.json", "");
        assert_eq!(
            amazon("states", "eu-west-1"),
            "https://states.s3.eu-west-1.amazonaws.com/a/b%20c.json"
        );
        assert_eq!(
            amazon("my.states", "cn-north-1"),
            "https://s3.cn-north-1.amazonaws.com.cn/my.states/a/b%20c.json"
        );
        let fips = Endpoint::amazon("states", "us-east-1", true, true).url("", "list-type=2");
        assert_eq!(fips, "https://states.s3-fips.dualstack.us-east-1.amazonaws.com/?list-type=2");
        let other = Endpoint::other("http://127.0.0.1:9000/", "states").url("k+é", "");
        assert_eq!(other, "http://127.0.0.1:9000/states/k%2B%C3%A9");
    }
}
