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

/// One place where an object refers to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference<'a> {
    /// The type of what it refers to.
    pub type_name: &'static str,
    /// Which attribute of it.
    pub attribute: &'static str,
    /// The value of that attribute.
    pub value: &'a str,
    /// Whether it is the only value of its place, and not one of a list.
    pub is_only: bool,
}

impl Reference<'_> {
    /// Tells whether the reference is to an object of a type.
    pub fn is_to(&self, type_name: &str, object: &Object) -> bool {
        self.type_name == type_name && object.str(self.attribute) == Some(self.value)
    }
}

/// Returns where an object refers to others, in the schema's order. What refers is told by the schema's `refers_to`.
pub fn references<'a>(schema: &Schema, object: &'a Object) -> Vec<Reference<'a>> {
    let mut found = Vec::new();
    let mut waiting = vec![(schema.attributes, object)];
    while let Some((attributes, object)) = waiting.pop() {
        for attribute in attributes {
            let Some(value) = object.get(attribute.name) else { continue };
            match attribute.kind {
                Kind::Blocks(blocks) => {
                    let Value::List(items) = value else { continue };
                    for item in items {
                        if let Value::Map(block) = item {
                            waiting.push((blocks.attributes, block));
                        }
                    }
                }
                Kind::List(_) | Kind::Set(_) => {
                    let items = value.as_list().unwrap_or(&[]).iter();
                    found.extend(items.filter_map(|item| reference(attribute, item, false)));
                }
                Kind::String => found.extend(reference(attribute, value, true)),
                Kind::Int | Kind::Number | Kind::Bool | Kind::Map(_) => {}
            }
        }
    }
    found
}

fn reference<'a>(attribute: &Attribute, value: &'a Value, is_only: bool) -> Option<Reference<'a>> {
    let (type_name, name) = attribute.refers_to?;
    value.as_str().map(|value| Reference { type_name, attribute: name, value, is_only })
}

/// Returns how an object comes to no longer refer to what is gone.
///
/// What refers is told by the schema's `refers_to`, and by values: the order of the attributes decides which of several
/// reasons for [`Detached::Never`] is told.
pub fn detached(
    schema: &Schema,
    object: &Object,
    is_gone: &dyn Fn(&Reference<'_>) -> bool,
) -> Detached {
    if !references(schema, object).iter().any(is_gone) {
        return Detached::Unused;
    }
    let mut object = object.clone();
    match let_go(schema.attributes, &mut object, is_gone, &Path::default()) {
        Ok(()) => Detached::Without(object),
        Err(path) => Detached::Never(path),
    }
}

/// Takes the references out of an object.
fn let_go(
    attributes: &[Attribute],
    object: &mut Object,
    is_gone: &dyn Fn(&Reference<'_>) -> bool,
    path: &Path,
) -> Result<(), Path> {
    for attribute in attributes {
        let Some(value) = object.get_mut(attribute.name) else { continue };
        let at = || inside(path, Step::Name(attribute.name.to_owned()));
        let names_gone =
            |value: &Value| reference(attribute, value, false).is_some_and(|it| is_gone(&it));
        match attribute.kind {
            Kind::Blocks(blocks) => {
                let Value::List(items) = value else { continue };
                for (index, item) in items.iter_mut().enumerate() {
                    if let Value::Map(block) = item {
                        let path = inside(&at(), Step::Index(index));
                        let_go(blocks.attributes, block, is_gone, &path)?;
                    }
                }
            }
            Kind::List(_) | Kind::Set(_) => {
                let Some(items) = value.as_list() else { continue };
                let kept: Vec<Value> =
                    items.iter().filter(|item| !names_gone(item)).cloned().collect();
                if kept.len() < items.len() {
                    *value = Value::List(kept);
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
    Ok(())
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
        let is_group = |it: &Reference<'_>| it.is_to("group", &group);
        assert_eq!(detached(&SCHEMA, &before, &is_group), Detached::Without(after));
        let is_volume = |it: &Reference<'_>| it.is_to("volume", &group);
        assert_eq!(detached(&SCHEMA, &before, &is_volume), Detached::Unused);
    }

    #[test]
    fn an_only_value_cannot_be_left_out() {
        let target = Object::new().with("id", "web").with("arn", "arn:1");
        let rule = Object::new().with("target", "arn:1");
        let is_gone = |it: &Reference<'_>| it.is_to("target", &target);
        let Detached::Never(path) = detached(&SCHEMA, &server(&[], rule), &is_gone) else {
            panic!("it can")
        };
        assert_eq!(path.to_string(), "rules[0].target");
    }
}
