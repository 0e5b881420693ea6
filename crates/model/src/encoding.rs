//! Values in files: state, journal, and saved plans.
//!
//! Plain JSON, but for what JSON has no word for: unknown is `{"$unknown": true}`, a sealed value is
//! `{"$sealed": "sha256:…"}`. A key of the user's that begins with `$` gets another `$`, so nothing can be mistaken.
//!
//! **Architecture Invariant:** a value that is sensitive and not sealed cannot be written; trying is an error.

use std::fmt;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Number, Object, Value};

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
        deserializer.deserialize_any(AnyValue)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

/// Takes in a value as the reader comes across its parts: a state of a hundred thousand objects is read once, and not
/// first into a tree of JSON.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, whole: i64) -> Result<Value, E> {
        Ok(whole.into())
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value, E> {
        #[expect(clippy::cast_precision_loss, reason = "so is every number beyond 64 bits")]
        let rounded = || Number::from_f64(whole as f64).map_or(Value::Null, Value::Number);
        Ok(i64::try_from(whole).map_or_else(|_| rounded(), Value::from))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some(key) = members.next_key::<String>()? {
            if object.is_empty() && (key == SEALED || key == UNKNOWN) {
                let marked = match (&*key, members.next_value()?) {
                    (SEALED, Value::String(digest)) => Some(Value::Sealed(digest)),
                    (UNKNOWN, Value::Bool(true)) => Some(Value::Unknown),
                    _ => None,
                };
                let is_alone = members.next_key::<IgnoredAny>()?.is_none();
                return marked.filter(|_| is_alone).ok_or_else(|| not_a_key(&key));
            }
            object.insert(plain(key)?, members.next_value()?);
        }
        Ok(Value::Map(object))
    }
}

/// Takes in the members of an object.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Object, A::Error> {
        let mut object = Object::new();
        while let Some(key) = members.next_key()? {
            object.insert(plain(key)?, members.next_value()?);
        }
        Ok(object)
    }
}

/// Returns a key as it was before it was written.
fn plain<E: serde::de::Error>(mut key: String) -> Result<String, E> {
    if key.starts_with('$') {
        key.remove(0);
        if !key.starts_with('$') {
            return Err(not_a_key(&format!("${key}")));
        }
    }
    Ok(key)
}

fn not_a_key<E: serde::de::Error>(key: &str) -> E {
    E::custom(format_args!("unknown marker `{key}` in a value"))
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
    fn numbers_are_read_as_they_are_in_plain_json() {
        for text in ["0", "-7", "9223372036854775807", "18446744073709551615", "1e3", "0.1", "1e99"]
        {
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), Value::from_json(&json));
        }
    }

    #[test]
    fn what_is_no_marker_is_refused() {
        for text in [
            r#"{"$secret": 1}"#,
            r#"{"$sealed": 1}"#,
            r#"{"$unknown": false}"#,
            r#"{"$sealed": "sha256:00", "more": 1}"#,
            r#"{"more": 1, "$sealed": "sha256:00"}"#,
        ] {
            let error = serde_json::from_str::<Value>(text).unwrap_err().to_string();
            assert!(error.contains("unknown marker `$"), "{error}");
        }
    }

    #[test]
    fn what_is_sensitive_cannot_be_written() {
        let object = Object::new().with("password", Value::from("hunter2").sensitive());
        let error = serde_json::to_string(&object).unwrap_err().to_string();
        assert!(error.contains("sealed") && !error.contains("hunter2"), "{error}");
    }
}
