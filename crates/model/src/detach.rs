//! Letting go: an object without its references to objects that are about to be deleted.
//!
//! AWS refuses to delete what is in use. Where the new object can only be made when the old one is gone, what uses it has
//! to let go in between.

use crate::{Attribute, Kind, Object, Path, Schema, Step, Value};

/// How an object comes to no longer refer to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detached {
    /// It does not refer to them.
    Unused,
    /// By leaving them out of lists: this is the object then.
    Without(Object),
    /// Not by a change in place: one of them is the only value of this attribute.
    Never(Path),
}

/// Returns how an object comes to no longer refer to `gone`, pairs of a type's name and an object of it.
///
/// What refers is told by the schema's `refers_to`, and by values: the order of the attributes decides which of several
/// reasons for [`Detached::Never`] is told.
pub fn detached(schema: &Schema, object: &Object, gone: &[(&str, &Object)]) -> Detached {
    let mut object = object.clone();
    match let_go(schema.attributes, &mut object, gone, &Path::default()) {
        Ok(false) => Detached::Unused,
        Ok(true) => Detached::Without(object),
        Err(path) => Detached::Never(path),
    }
}

/// Takes the references out of an object and tells whether there were any.
fn let_go(
    attributes: &[Attribute],
    object: &mut Object,
    gone: &[(&str, &Object)],
    path: &Path,
) -> Result<bool, Path> {
    let mut any = false;
    for attribute in attributes {
        let Some(value) = object.get_mut(attribute.name) else { continue };
        let at = || inside(path, Step::Name(attribute.name.to_owned()));
        let names_gone = |value: &Value| names_gone(attribute, value, gone);
        match attribute.kind {
            Kind::Blocks(blocks) => {
                let Value::List(items) = value else { continue };
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Map(block) = item {
                        let path = inside(&at(), Step::Index(index));
                        any |= let_go(blocks.attributes, block, gone, &path)?;
                    }
                }
            }
            Kind::List(_) | Kind::Set(_) => {
                let Some(items) = value.as_list() else { continue };
                let kept: Vec<Value> =
                    items.iter().filter(|item| !names_gone(item)).cloned().collect();
                if kept.len() < items.len() {
                    *value = Value::List(kept);
                    any = true;
                }
            }
            Kind::String => {
                if names_gone(value) {
                    return Err(at());
                }
            }
            Kind::Int | Kind::Number | Kind::Bool | Kind::Map(_) => {}
        }
    }
    Ok(any)
}

/// Tells whether a value names one of the objects.
fn names_gone(attribute: &Attribute, value: &Value, gone: &[(&str, &Object)]) -> bool {
    let (Some((type_name, name)), Some(text)) = (attribute.refers_to, value.as_str()) else {
        return false;
    };
    gone.iter().any(|(gone_type, object)| *gone_type == type_name && object.str(name) == Some(text))
}

fn inside(path: &Path, step: Step) -> Path {
    let mut steps = path.0.clone();
    steps.push(step);
    Path(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::schema::{Blocks, Nesting, Recovery, Timeouts};

    static RULES: Blocks = Blocks {
        nesting: Nesting::Set,
        min: 0,
        max: None,
        attributes: &[
            Attribute::optional("groups", Kind::Set(&Kind::String)).refers_to("group", "id"),
            Attribute::optional("target", Kind::String).refers_to("target", "arn"),
        ],
    };

    static SCHEMA: Schema = Schema {
        type_name: "server",
        mode: Mode::Managed,
        version: 1,
        doc: "",
        attributes: &[
            Attribute::optional("groups", Kind::Set(&Kind::String)).refers_to("group", "id"),
            Attribute::optional("notes", Kind::Set(&Kind::String)),
            Attribute::optional("rules", Kind::Blocks(&RULES)),
        ],
        constraints: &[],
        recovery: Recovery::None,
        timeouts: Timeouts::minutes(1, 1, 1),
        iam_read: &[],
        iam_write: &[],
    };

    fn texts(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(|text| Value::from(*text)).collect()
    }

    fn server(groups: &[&str], rule: Object) -> Object {
        Object::new()
            .with("groups", texts(groups))
            .with("notes", texts(&["sg-1"]))
            .with("rules", vec![Value::Map(rule)])
    }

    #[test]
    fn references_in_lists_are_left_out_and_nothing_else() {
        let group = Object::new().with("id", "sg-1").with("arn", "arn:1");
        let rule = |groups: &[&str]| Object::new().with("groups", texts(groups));
        let before = server(&["sg-1", "sg-2"], rule(&["sg-1"]));
        let after = server(&["sg-2"], rule(&[]));
        assert_eq!(detached(&SCHEMA, &before, &[("group", &group)]), Detached::Without(after));
        assert_eq!(detached(&SCHEMA, &before, &[("volume", &group)]), Detached::Unused);
        assert_eq!(detached(&SCHEMA, &before, &[]), Detached::Unused);
    }

    #[test]
    fn an_only_value_cannot_be_left_out() {
        let target = Object::new().with("id", "web").with("arn", "arn:1");
        let rule = Object::new().with("target", "arn:1");
        let Detached::Never(path) = detached(&SCHEMA, &server(&[], rule), &[("target", &target)])
        else {
            panic!("it can")
        };
        assert_eq!(path.to_string(), "rules[0].target");
    }
}
