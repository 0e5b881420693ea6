//! The `backend` section: where the state is kept. It consists of constants, since it is needed before anything is evaluated.

use reconcile_model::Object;

use super::Loader;
use super::sections::Sections;
use crate::suggest::{did_you_mean, list};

/// The arguments of `backend: s3`, named as in Terraform where it has them.
const S3: &[&str] =
    &["bucket", "key", "region", "endpoint", "kms_key_id", "profile", "lease_seconds"];

/// The arguments of `backend: local`.
const LOCAL: &[&str] = &["path"];

/// How short and how long a lease may be, in seconds.
const LEASE_SECONDS: std::ops::RangeInclusive<u64> = 5..=3600;

impl Loader {
    /// Returns the backend's configuration as it stands.
    pub(super) fn backend(&mut self, sections: &Sections<'_>) -> Option<Object> {
        let (key, value) = sections.backend?;
        let members = value.map().unwrap_or_default();
        let [(kind, body)] = members else {
            let error = self.error(key.place, "`backend` takes one kind of backend");
            error.hint = Some("Write `backend: { s3: { bucket: …, key: …, region: … } }`, or leave it out to keep the state in local files.".to_owned());
            return None;
        };
        let known: &[&'static str] = match &*kind.text {
            "s3" => S3,
            "local" => LOCAL,
            other => {
                let hint = did_you_mean(other, ["s3", "local"]);
                let error = self.error(kind.place, format!("There is no backend `{other}`"));
                error.detail = "There are `s3` and `local`.".to_owned();
                error.hint = hint;
                return None;
            }
        };
        let fields = self.fields(&format!("the backend `{}`", kind.text), body, known);
        let mut object = Object::new();
        for (name, (_, value)) in &fields {
            let Some(text) = self.text(value, name) else { continue };
            if let Some(rule) = breach(name, &text) {
                let error =
                    self.error(value.place, format!("This cannot be the `{name}` of a backend"));
                error.detail = rule;
            }
            object.set(name, text);
        }
        let required: &[&str] =
            if &*kind.text == "s3" { &["bucket", "key", "region"] } else { &[] };
        let missing: Vec<&str> =
            required.iter().copied().filter(|name| !fields.contains_key(name)).collect();
        if !missing.is_empty() {
            let summary = format!("The backend `{}` needs {}", kind.text, list(missing));
            self.error(kind.place, summary);
        }
        Some(Object::new().with(&kind.text, object))
    }
}

/// Returns the rule that a value breaks, if it breaks one.
fn breach(name: &str, text: &str) -> Option<String> {
    let rule = match name {
        "bucket" if !is_bucket(text) => {
            "A bucket's name has 3 to 63 lower-case letters, digits, `-`, and `.`, beginning and ending with a letter or digit."
        }
        "key" if !is_key(text) => {
            "It names an object, such as `teams/web.json`: up to 900 bytes without control characters, not beginning or ending with `/`."
        }
        "region" if !is_region(text) => "A Region has a name such as `ap-northeast-2`.",
        "endpoint" if !is_address(text) => "It is an address such as `https://s3.example.com`.",
        "lease_seconds" if !text.parse().is_ok_and(|seconds| LEASE_SECONDS.contains(&seconds)) => {
            let (shortest, longest) = (LEASE_SECONDS.start(), LEASE_SECONDS.end());
            return Some(format!("It is a whole number of seconds from {shortest} to {longest}."));
        }
        "profile" | "kms_key_id" | "path" if text.is_empty() => "Leave it out, or say which.",
        _ => return None,
    };
    Some(rule.to_owned())
}

fn is_bucket(text: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.starts_with(is_end)
        && text.ends_with(is_end)
        && text.chars().all(|c| is_end(c) || matches!(c, '-' | '.'))
}

fn is_key(text: &str) -> bool {
    (1..=900).contains(&text.len())
        && !text.starts_with('/')
        && !text.ends_with('/')
        && !text.chars().any(char::is_control)
}

fn is_region(text: &str) -> bool {
    let mut parts = text.split('-').peekable();
    let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    parts.clone().count() >= 3
        && parts.next_back().is_some_and(|part| part.parse::<u8>().is_ok())
        && parts.all(is_word)
}

fn is_address(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':']))
}
