//! Reading YAML.
//!
//! Aliases are expanded where they stand, so that a small document can stand for a huge value; the reader counts what it
//! makes and stops.

use std::cell::Cell;
use std::fmt;

use reconcile_model::{Number, Object, Value};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use super::super::{MAX_ITEMS, MAX_TEXT_BYTES, convert};

/// Reads one document.
pub(super) fn decode(text: &str) -> Result<Value, serde_yaml::Error> {
    // What is nothing at all is null, as an empty document is.
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let budget = Budget { items: Cell::new(MAX_ITEMS), bytes: Cell::new(MAX_TEXT_BYTES) };
    Read(&budget).deserialize(serde_yaml::Deserializer::from_str(text))
}

/// What is left of the size that a result may have.
struct Budget {
    items: Cell<usize>,
    bytes: Cell<usize>,
}

impl Budget {
    fn spend<E: Error>(&self, bytes: usize) -> Result<(), E> {
        let items = self.items.get().checked_sub(1);
        let bytes = self.bytes.get().checked_sub(bytes);
        let (Some(items), Some(bytes)) = (items, bytes) else {
            return Err(E::custom("it stands for a value that is too large"));
        };
        self.items.set(items);
        self.bytes.set(bytes);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Read<'b>(&'b Budget);

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(flag.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        self.0.spend(0)?;
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            #[expect(clippy::cast_precision_loss, reason = "numbers beyond 64 bits are doubles")]
            Err(_) => self.visit_f64(number as f64),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        self.0.spend(0)?;
        let number = Number::from_f64(number).ok_or_else(|| E::custom("a number is not finite"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.0.spend(text.len())?;
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        self.0.spend(0)?;
        let mut object = Object::new();
        let mut merged = Vec::new();
        while let Some(key) = members.next_key_seed(self)? {
            let key = convert::text(&key).map_err(|_| A::Error::custom("a key is not a string"))?;
            let value = members.next_value_seed(self)?;
            if key == "<<" {
                merged.push(value);
            } else if object.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice in one map"));
            }
        }
        for value in merged {
            let maps = if let Value::List(maps) = value { maps } else { vec![value] };
            for map in maps {
                let Value::Map(map) = map else {
                    return Err(A::Error::custom("`<<` takes a map or a list of maps"));
                };
                for (key, value) in map {
                    object.entry(key).or_insert(value);
                }
            }
        }
        Ok(object.into())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _tagged: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("tags of one's own have no meaning here"))
    }
}
