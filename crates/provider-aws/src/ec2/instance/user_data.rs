//! User data: base64 on the wire, text or base64 in a spec, compared on the bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reconcile_model::{Object, Value};

/// Returns user data as `RunInstances` takes them: in base64, once. Text that is base64 already is sent as it is.
pub(super) fn to_wire(planned: &Object) -> Option<String> {
    let text = planned.str("user_data").filter(|text| !text.is_empty()).map(|text| {
        if decode(text).is_some() { text.trim().to_owned() } else { STANDARD.encode(text) }
    });
    text.or_else(|| planned.string("user_data_base64").filter(|text| !text.is_empty()))
}

/// Returns user data as bytes, as `ModifyInstanceAttribute` takes them; none at all are no bytes.
pub(super) fn bytes(planned: &Object) -> Vec<u8> {
    to_wire(planned).and_then(|text| STANDARD.decode(text.trim()).ok()).unwrap_or_default()
}

/// Sets the attribute in which the user wrote user data, from what EC2 answers; the other is null.
///
/// Bytes that are no text can only be shown in base64.
pub(crate) fn set(object: &mut Object, wire: Option<&str>, in_base64: bool) {
    let (mut text, mut base64) = (Value::Null, Value::Null);
    if let Some(wire) = wire.filter(|wire| !wire.is_empty()) {
        let decoded = STANDARD.decode(wire).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded {
            _ if in_base64 => base64 = wire.into(),
            Some(decoded) => text = decoded.into(),
            None => text = wire.into(),
        }
    }
    object.set("user_data", text);
    object.set("user_data_base64", base64);
}

/// Brings user data to the text they stand for, so that text and its base64 are the same; empty is none.
pub(super) fn normalize(value: &Value) -> Value {
    let Some(text) = value.as_str() else { return value.clone() };
    if text.is_empty() {
        return Value::Null;
    }
    // Until nothing changes, so that normalizing twice is normalizing once.
    let mut current = text.to_owned();
    while let Some(inner) = decode(&current).and_then(|bytes| String::from_utf8(bytes).ok()) {
        current = inner;
    }
    current.into()
}

/// Brings base64 to its usual form; empty is none.
pub(super) fn normalize_base64(value: &Value) -> Value {
    match value.as_str() {
        Some("") => Value::Null,
        Some(text) => STANDARD
            .decode(text.trim())
            .map_or_else(|_| value.clone(), |bytes| STANDARD.encode(bytes).into()),
        None => value.clone(),
    }
}

/// Checks that a text is base64.
pub(super) fn is_base64(value: &Value) -> Result<(), String> {
    match value.as_str().map(|text| STANDARD.decode(text.trim())) {
        Some(Err(_)) => Err("must be base64; write plain text as `user_data`".to_owned()),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Returns the bytes of what is base64; none for what is not, or is empty.
fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok().filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INCLUDE: &str = "#include https://bit.ly/Userdata";

    #[test]
    fn text_is_encoded_once() {
        let encoded = STANDARD.encode(INCLUDE);
        let text = Object::new().with("user_data", INCLUDE);
        let already = Object::new().with("user_data", encoded.as_str());
        let base64 = Object::new().with("user_data_base64", encoded.as_str());
        for planned in [&text, &already, &base64] {
            assert_eq!(to_wire(planned).as_deref(), Some(encoded.as_str()));
            assert_eq!(bytes(planned), INCLUDE.as_bytes());
        }
        assert_eq!(to_wire(&Object::new().with("user_data", "")), None);
    }

    #[test]
    fn what_is_read_means_what_was_written() {
        let encoded = STANDARD.encode(INCLUDE);
        let mut object = Object::new();
        set(&mut object, Some(&encoded), false);
        assert_eq!(object.value("user_data"), &Value::from(INCLUDE));
        assert_eq!(normalize(&encoded.as_str().into()), normalize(object.value("user_data")));
        set(&mut object, Some(&encoded), true);
        assert_eq!(object.value("user_data_base64"), &Value::from(encoded));
        assert!(object.value("user_data").is_null());
        set(&mut object, None, true);
        assert!(object.value("user_data_base64").is_null());
    }

    #[test]
    fn normalizing_twice_is_normalizing_once() {
        let twice = STANDARD.encode(STANDARD.encode("#!/bin/sh"));
        for text in ["", INCLUDE, "abcd", twice.as_str()] {
            let once = normalize(&text.into());
            assert_eq!(normalize(&once), once, "{text}");
        }
        assert_eq!(normalize(&"".into()), Value::Null);
        assert_eq!(normalize_base64(&" YWJj\n".into()), Value::from("YWJj"));
    }
}
