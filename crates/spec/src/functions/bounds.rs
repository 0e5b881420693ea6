//! Bounds on results: a few calls in a row must not fill the memory.

use reconcile_model::Value;

use super::fault::Fault;
use super::{MAX_ITEMS, MAX_TEXT_BYTES};

/// Text that may not outgrow [`MAX_TEXT_BYTES`] while it is built.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Appends.
    pub(super) fn push(&mut self, more: &str) -> Result<(), Fault> {
        if self.0.len() + more.len() > MAX_TEXT_BYTES {
            return Err(too_much_text());
        }
        self.0.push_str(more);
        Ok(())
    }

    /// Returns the text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// The fault of a result that would be too long.
pub(super) fn too_much_text() -> Fault {
    Fault::new(format!("the result would be longer than {} MiB of text", MAX_TEXT_BYTES >> 20))
}

/// The fault of a result that would be too large.
pub(super) fn too_many_items() -> Fault {
    Fault::new(format!("the result would hold more than {MAX_ITEMS} items"))
}

/// Refuses a result that is larger than what a spec may sensibly hold: a few calls in a row would fill the memory.
pub(super) fn bounded(value: Value) -> Result<Value, Fault> {
    fn measure(value: &Value, items: &mut usize, bytes: &mut usize) {
        match value.bare() {
            Value::String(text) => *bytes += text.len(),
            Value::List(list) => {
                *items += list.len();
                list.iter().for_each(|item| measure(item, items, bytes));
            }
            Value::Map(object) => {
                *items += object.len();
                for (key, member) in object {
                    *bytes += key.len();
                    measure(member, items, bytes);
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Unknown
            | Value::Sensitive(_)
            | Value::Sealed(_) => {}
        }
    }
    let (mut items, mut bytes) = (0, 0);
    measure(&value, &mut items, &mut bytes);
    if items > MAX_ITEMS {
        return Err(too_many_items());
    }
    if bytes > MAX_TEXT_BYTES {
        return Err(too_much_text());
    }
    Ok(value)
}
