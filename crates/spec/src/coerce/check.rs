//! Which values an attribute takes, beyond its kind.

use std::net::IpAddr;

use ipnet::IpNet;
use reconcile_model::schema::Check;
use reconcile_model::{Attribute, Path, Value};

use super::Problem;
use crate::suggest::{did_you_mean, list};

/// Checks a value, or each item of a list, set, or map.
pub(super) fn check(attribute: &Attribute, value: &Value, at: &Path, problems: &mut Vec<Problem>) {
    if matches!(attribute.check, Check::Any) {
        return;
    }
    match value.bare() {
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                one(attribute, item, &at.index(index), problems, hidden(value));
            }
        }
        Value::Map(members) => {
            for (key, member) in members {
                one(attribute, member, &at.name(key), problems, hidden(value));
            }
        }
        _ => one(attribute, value, at, problems, false),
    }
}

fn hidden(value: &Value) -> bool {
    matches!(value, Value::Sensitive(_) | Value::Sealed(_))
}

fn one(
    attribute: &Attribute,
    value: &Value,
    at: &Path,
    problems: &mut Vec<Problem>,
    is_hidden: bool,
) {
    let bare = value.bare();
    if matches!(bare, Value::Unknown | Value::Null | Value::Sealed(_)) {
        return;
    }
    let Err((must, hint)) = accepts(&attribute.check, bare) else { return };
    if bare.as_str().is_some_and(|text| text.contains("PRIVATE KEY")) {
        problems.push(
            Problem::hidden(at, attribute.name)
                .detail("It looks like a private key, and is not shown.")
                .hint("Keep private keys out of specs: give the public half.".to_owned()),
        );
        return;
    }
    if is_hidden || hidden(value) || attribute.sensitive {
        problems.push(Problem::hidden(at, attribute.name));
        return;
    }
    let shown = match bare {
        Value::String(text) => {
            let start: String = text.chars().take(80).collect();
            let more = if start.len() < text.len() { "…" } else { "" };
            format!("It is {start:?}{more}.")
        }
        Value::Number(number) => format!("It is {number}."),
        other => format!("It is {}.", other.kind_name()),
    };
    problems
        .push(Problem::new(at, format!("`{}` {must}", attribute.name)).detail(shown).hint(hint));
}

/// Says what a value must be, and perhaps what was meant.
type Refusal = (String, Option<String>);

fn accepts(check: &Check, value: &Value) -> Result<(), Refusal> {
    let text = value.as_str();
    let refuse = |must: &str| Err((must.to_owned(), None));
    match check {
        Check::Any => Ok(()),
        Check::OneOf(values) => match text {
            Some(text) if !values.contains(&text) => {
                let same = values.iter().find(|value| value.eq_ignore_ascii_case(text));
                let hint = match same {
                    Some(same) => Some(format!("Did you mean `{same}`?")),
                    None => did_you_mean(text, values.iter().copied()),
                };
                Err((format!("must be one of {}", list(values.iter().copied())), hint))
            }
            _ => Ok(()),
        },
        Check::Range(low, high) => match value.as_i64() {
            Some(number) if !(*low..=*high).contains(&number) => {
                Err((format!("must be between {low} and {high}"), None))
            }
            _ => Ok(()),
        },
        Check::Length(least, most) => match text.map(|text| text.chars().count()) {
            Some(length) if length < *least || length > *most => {
                let must = if least == most {
                    format!("must have {least} characters")
                } else {
                    format!("must have {least} to {most} characters")
                };
                Err((must, None))
            }
            _ => Ok(()),
        },
        Check::Cidr => range(text, "an IP range in CIDR notation, such as `10.0.0.0/16`", |_| true),
        Check::Cidr4 => {
            range(text, "an IPv4 range in CIDR notation, such as `10.0.0.0/16`", |net| {
                matches!(net, IpNet::V4(_))
            })
        }
        Check::Cidr6 => {
            range(text, "an IPv6 range in CIDR notation, such as `2001:db8::/64`", |net| {
                matches!(net, IpNet::V6(_))
            })
        }
        Check::Ip => match text {
            Some(text) if text.parse::<IpAddr>().is_err() => refuse("must be an IP address"),
            _ => Ok(()),
        },
        Check::Rule(rule) => rule(value).map_err(|must| (must, None)),
    }
}

fn range(text: Option<&str>, what: &str, fits: fn(&IpNet) -> bool) -> Result<(), Refusal> {
    let Some(text) = text else { return Ok(()) };
    match text.parse::<IpNet>() {
        Ok(net) if fits(&net) => Ok(()),
        _ => Err((format!("must be {what}"), range_hint(text))),
    }
}

/// Tells what is wrong with a range of addresses, when it is nearly one.
fn range_hint(text: &str) -> Option<String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let ip = address.parse::<IpAddr>().ok()?;
    let (family, all) = if ip.is_ipv4() { ("IPv4", 32) } else { ("IPv6", 128) };
    match prefix.map(str::parse::<u8>) {
        None => Some(format!("For this one address, write `{ip}/{all}`.")),
        Some(Ok(length)) if length <= all => {
            Some(format!("This is a range of {family} addresses."))
        }
        Some(_) => Some(format!("After the `/` stands a number from 0 to {all}.")),
    }
}
