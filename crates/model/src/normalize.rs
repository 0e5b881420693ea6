//! Bringing values to one form before they are compared, where AWS writes the same thing in several ways.

use std::fmt;

use base64::Engine as _;
use ipnet::IpNet;

use crate::{Attribute, Kind, Object, Value, schema::Nesting};

/// A rule of its own for one attribute. It must be idempotent.
pub type NormalizeRule = fn(&Value) -> Value;

/// How an attribute's values are brought to one form. Values that do not parse are compared as they are.
#[derive(Clone, Copy)]
pub enum Normalize {
    /// As they are.
    None,
    /// CIDR ranges without host bits, IPv6 lower-cased and compressed: EC2 stores them so.
    Cidr,
    /// Base64 text on the bytes it stands for.
    Base64,
    /// IP protocols by name where EC2 answers with the name: `6` is `tcp`, `all` is `-1`.
    Protocol,
    /// OpenSSH public keys on their type and body, without comment and line end: EC2 drops both.
    PublicKey,
    /// JSON documents on what they mean, whatever their spaces and key order.
    Json,
    /// Text without regard to case.
    Lowercase,
    /// As the rule says.
    Rule(NormalizeRule),
}

impl fmt::Debug for Normalize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Cidr => "Cidr",
            Self::Base64 => "Base64",
            Self::Protocol => "Protocol",
            Self::PublicKey => "PublicKey",
            Self::Json => "Json",
            Self::Lowercase => "Lowercase",
            Self::Rule(_) => "Rule",
        })
    }
}

impl Normalize {
    /// Brings one value to the common form; sensitive marks are kept.
    pub fn apply(self, value: &Value) -> Value {
        if let Value::Sensitive(inner) = value {
            return self.apply(inner).sensitive();
        }
        if let Self::Rule(rule) = self {
            return rule(value);
        }
        let Value::String(text) = value else { return value.clone() };
        match self {
            Self::None | Self::Rule(_) => value.clone(),
            Self::Cidr => cidr(text).map_or_else(|| value.clone(), Value::String),
            Self::Base64 => match base64::engine::general_purpose::STANDARD.decode(text.trim()) {
                Ok(bytes) => base64::engine::general_purpose::STANDARD.encode(bytes).into(),
                Err(_) => value.clone(),
            },
            Self::Protocol => protocol(text).into(),
            Self::PublicKey => public_key(text).into(),
            Self::Json => match serde_json::from_str::<serde_json::Value>(text) {
                Ok(mut json) => {
                    json.sort_all_objects();
                    json.to_string().into()
                }
                Err(_) => value.clone(),
            },
            Self::Lowercase => text.to_lowercase().into(),
        }
    }
}

/// Returns a CIDR range without its host bits, or `None` when the text is none.
pub fn cidr(text: &str) -> Option<String> {
    text.parse::<IpNet>().ok().map(|net| net.trunc().to_string())
}

/// Returns an IP protocol as EC2 answers with it.
///
/// EC2 takes numbers and names and answers `-1`, `tcp`, `udp`, `icmp`, `icmpv6`, or the number (EC2 API, `IpPermission`).
pub fn protocol(text: &str) -> String {
    match text.to_lowercase().as_str() {
        "all" | "-1" => "-1".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "1" => "icmp".to_owned(),
        "58" => "icmpv6".to_owned(),
        other => other.to_owned(),
    }
}

/// Returns an OpenSSH public key without its comment.
pub fn public_key(text: &str) -> String {
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// Brings an object to the form in which two objects of a schema are compared: values normalized, sets sorted and
/// without duplicates, absent attributes null, members that the schema does not know left out.
pub fn canonical(attributes: &[Attribute], object: &Object) -> Object {
    attributes
        .iter()
        .map(|attribute| {
            (attribute.name.to_owned(), canonical_value(attribute, object.value(attribute.name)))
        })
        .collect()
}

/// Brings one attribute's value to the form in which it is compared.
pub fn canonical_value(attribute: &Attribute, value: &Value) -> Value {
    canonical_kind(attribute, &attribute.kind, value)
}

fn canonical_kind(attribute: &Attribute, kind: &Kind, value: &Value) -> Value {
    if let Value::Sensitive(inner) = value {
        return canonical_kind(attribute, kind, inner).sensitive();
    }
    match (kind, value) {
        (Kind::List(item), Value::List(values)) => values
            .iter()
            .map(|value| canonical_kind(attribute, item, value))
            .collect::<Vec<_>>()
            .into(),
        (Kind::Set(item), Value::List(values)) => {
            sorted(values.iter().map(|value| canonical_kind(attribute, item, value)).collect())
        }
        (Kind::Map(item), Value::Map(members)) => Value::Map(
            members.iter().map(|(k, v)| (k.clone(), canonical_kind(attribute, item, v))).collect(),
        ),
        (Kind::Blocks(blocks), Value::List(values)) => {
            let block = |value: &Value| match value.as_map() {
                Some(object) => Value::Map(canonical(blocks.attributes, object)),
                None => value.clone(),
            };
            let items: Vec<Value> = values.iter().map(block).collect();
            match blocks.nesting {
                Nesting::Set => sorted(items),
                Nesting::List => items.into(),
            }
        }
        // No blocks and an absent member are one thing.
        (Kind::Blocks(_), Value::Null) => Value::List(Vec::new()),
        _ => attribute.normalize.apply(value),
    }
}

/// Returns a set's items in a fixed order, each once. Unknown items are kept apart: they may turn out to differ.
fn sorted(mut items: Vec<Value>) -> Value {
    items.sort();
    items.dedup_by(|a, b| a == b && a.is_known());
    items.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalizes_what_aws_rewrites() {
        let check = |normalize: Normalize, from: &str, to: &str| {
            assert_eq!(normalize.apply(&from.into()), Value::from(to), "{normalize:?} {from}");
            assert_eq!(normalize.apply(&to.into()), Value::from(to), "{normalize:?} twice {from}");
        };
        check(Normalize::Cidr, "100.68.0.18/18", "100.68.0.0/18");
        check(Normalize::Cidr, "2001:DB8:0:0::1/64", "2001:db8::/64");
        check(Normalize::Cidr, "not a range", "not a range");
        check(Normalize::Protocol, "6", "tcp");
        check(Normalize::Protocol, "ALL", "-1");
        check(Normalize::Protocol, "47", "47");
        check(Normalize::PublicKey, "ssh-ed25519 AAAA me@host\n", "ssh-ed25519 AAAA");
        check(Normalize::Json, "{ \"b\": 1, \"a\": [ ] }", "{\"a\":[],\"b\":1}");
    }

    #[test]
    fn sets_compare_without_order() {
        static NAMES: Attribute =
            Attribute::optional("cidr_blocks", Kind::Set(&Kind::String)).normalize(Normalize::Cidr);
        let one = Value::from(vec!["10.0.0.1/8", "0.0.0.0/0"]);
        let two = Value::from(vec!["0.0.0.0/0", "10.0.0.0/8", "10.9.0.0/8"]);
        assert_eq!(canonical_value(&NAMES, &one), canonical_value(&NAMES, &two));
    }
}
