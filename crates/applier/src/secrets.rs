//! Keeping secrets out of what services say.
//!
//! A service may repeat what was sent to it in its error message: `Value (…) for parameter userData is invalid`. Such a
//! message goes into diagnostics and events, so what is sensitive in the request is taken out of it first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reconcile_model::{Object, Value};

/// What stands in a secret's place, as in every other output.
const HIDDEN: &str = "(sensitive value)";

/// The least number of digits that make a number a secret: fewer are in any message by chance.
const DIGITS: usize = 4;

/// The secrets of a request, the longest first: one may be part of another.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Returns what is marked as sensitive in a request, as it is and as Base64, which is how EC2 takes user data.
    pub fn of(request: &Object) -> Self {
        let mut texts = Vec::new();
        request.values().for_each(|value| collect(value, false, &mut texts));
        let encoded: Vec<String> = texts.iter().map(|text| STANDARD.encode(text)).collect();
        texts.extend(encoded);
        texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        Self(texts)
    }

    /// Returns a message with `(sensitive value)` in the place of each secret.
    #[must_use]
    pub fn hide(&self, message: String) -> String {
        self.0.iter().fold(message, |message, secret| {
            if message.contains(secret) { message.replace(secret, HIDDEN) } else { message }
        })
    }
}

fn collect(value: &Value, is_secret: bool, texts: &mut Vec<String>) {
    match value {
        Value::Sensitive(inner) => collect(inner, true, texts),
        Value::String(text) if is_secret && !text.is_empty() => texts.push(text.clone()),
        Value::Number(number) if is_secret => {
            let text = number.to_string();
            if text.len() >= DIGITS {
                texts.push(text);
            }
        }
        Value::List(items) => items.iter().for_each(|item| collect(item, is_secret, texts)),
        Value::Map(members) => {
            members.values().for_each(|member| collect(member, is_secret, texts));
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Unknown
        | Value::Sealed(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sensitive_is_taken_out_of_messages() {
        let inner = Object::new().with("token", Value::from("hunter2").sensitive());
        let request = Object::new()
            .with("user_data", Value::from("password=hunter2-and-more").sensitive())
            .with("pin", Value::from("1234").sensitive())
            .with("name", "web")
            .with("nested", Value::List(vec![Value::Map(inner)]));
        let secrets = Secrets::of(&request);
        let encoded = STANDARD.encode("password=hunter2-and-more");
        assert_eq!(
            secrets.hide(format!(
                "`password=hunter2-and-more` ({encoded}), hunter2, and 1234 are wrong for web"
            )),
            "`(sensitive value)` ((sensitive value)), (sensitive value), and (sensitive value) are wrong for web"
        );
        assert_eq!(Secrets::default().hide("as it is".to_owned()), "as it is");
    }
}
