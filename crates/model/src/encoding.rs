//! Values in files: state, journal, and saved plans.
//!
//! Plain JSON, but for what JSON has no word for: unknown is `{"$unknown": true}`, a sealed value is
//! `{"$sealed": "sha256:…"}`. A key of the user's that begins with `$` gets another `$`, so nothing can be mistaken.
//!
//! **Architecture Invariant:** a value that is sensitive and not sealed cannot be written; trying is an error.

use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Object, Value};

const SEALED: &str = "$sealed";
const UNKNOWN: &str = "$unknown";

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => match number.as_i64() {
                Some(whole) => serializer.serialize_i64(whole),
                None => serializer.serialize_f64(number.as_f64()),
            },
            Self::String(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(object) => object.serialize(serializer),
            Self::Unknown => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(UNKNOWN, &true)?;
                map.end()
            }
            Self::Sealed(digest) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(SEALED, digest)?;
                map.end()
            }
            Self::Sensitive(inner) if matches!(**inner, Self::Null | Self::Unknown) => {
                inner.serialize(serializer)
            }
            Self::Sensitive(_) => {
                Err(S::Error::custom("a sensitive value must be sealed before it is written"))
            }
        }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (key, value) in self {
            match key.strip_prefix('$') {
                Some(rest) => map.serialize_entry(&format!("$${rest}"), value)?,
                None => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(serde_json::Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode_members(serde_json::Map::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

fn decode(json: serde_json::Value) -> Result<Value, String> {
    Ok(match json {
        serde_json::Value::Array(items) => {
            Value::List(items.into_iter().map(decode).collect::<Result<_, _>>()?)
        }
        serde_json::Value::Object(members) => {
            if let (1, Some(serde_json::Value::String(digest))) =
                (members.len(), members.get(SEALED))
            {
                return Ok(Value::Sealed(digest.clone()));
            }
            if let (1, Some(serde_json::Value::Bool(true))) = (members.len(), members.get(UNKNOWN))
            {
                return Ok(Value::Unknown);
            }
            Value::Map(decode_members(members)?)
        }
        plain @ (serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_)) => Value::from_json(&plain),
    })
}

fn decode_members(members: serde_json::Map<String, serde_json::Value>) -> Result<Object, String> {
    members
        .into_iter()
        .map(|(key, value)| {
            let key = match key.strip_prefix('$') {
                Some(rest) if rest.starts_with('$') => rest.to_owned(),
                Some(_) => return Err(format!("unknown marker `{key}` in a value")),
                None => key,
            };
            Ok((key, decode(value)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_round_trip() {
        let value = Value::List(vec![
            Value::Sealed("sha256:00".to_owned()),
            Value::Unknown,
            Value::Map(Object::new().with("$sealed", "a tag of the user's").with("$$", true)),
            1_i64.into(),
            Value::Null,
        ]);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn what_is_sensitive_cannot_be_written() {
        let object = Object::new().with("password", Value::from("hunter2").sensitive());
        let error = serde_json::to_string(&object).unwrap_err().to_string();
        assert!(error.contains("sealed") && !error.contains("hunter2"), "{error}");
    }
}
