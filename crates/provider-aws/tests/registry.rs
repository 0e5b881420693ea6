//! What holds for every resource type and data source, whoever wrote it.

use std::collections::BTreeSet;

use reconcile_model::schema::{Blocks, Check, Constraint, Nesting, Recovery};
use reconcile_model::{Attribute, Kind, Mode, Presence, Schema, Value};
use reconcile_provider_aws::{DATA_SOURCES, REGISTRY, RESOURCE_TYPES};

fn schemas() -> Vec<&'static Schema> {
    let resources = RESOURCE_TYPES.iter().map(|it| it.schema());
    resources.chain(DATA_SOURCES.iter().map(|it| it.schema())).collect()
}

/// Calls `check` for every attribute at any depth, with its path: `aws_lb.subnet_mapping.subnet_id`.
fn each_attribute(mut check: impl FnMut(&Schema, &str, &Attribute)) {
    fn walk(
        schema: &Schema,
        prefix: &str,
        attributes: &[Attribute],
        check: &mut dyn FnMut(&Schema, &str, &Attribute),
    ) {
        for attribute in attributes {
            let path = format!("{prefix}.{}", attribute.name);
            check(schema, &path, attribute);
            walk(schema, &path, attribute.nested(), check);
        }
    }
    for schema in schemas() {
        let name = match schema.mode {
            Mode::Managed => schema.type_name.to_owned(),
            Mode::Data => format!("data.{}", schema.type_name),
        };
        walk(schema, &name, schema.attributes, &mut check);
    }
}

/// Returns the attribute at a path within a schema: `root_block_device.iops`.
fn at(schema: &Schema, path: &str) -> Option<&'static Attribute> {
    let mut names = path.split('.');
    let mut found = schema.attribute(names.next()?)?;
    for name in names {
        found = found.nested().iter().find(|attribute| attribute.name == name)?;
    }
    Some(found)
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn types_are_sorted_and_each_is_there_once() {
    for (mode, names) in [
        (Mode::Managed, RESOURCE_TYPES.iter().map(|it| it.schema()).collect::<Vec<_>>()),
        (Mode::Data, DATA_SOURCES.iter().map(|it| it.schema()).collect()),
    ] {
        let modes: BTreeSet<Mode> = names.iter().map(|schema| schema.mode).collect();
        assert_eq!(modes, BTreeSet::from([mode]));
        let names: Vec<&str> = names.iter().map(|schema| schema.type_name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        assert!(names.iter().all(|name| is_snake_case(name) && name.starts_with("aws_")));
    }
    let set = REGISTRY.schemas();
    assert_eq!(set.all(Mode::Managed).count(), RESOURCE_TYPES.len());
    assert_eq!(set.all(Mode::Data).count(), DATA_SOURCES.len());
}

#[test]
fn names_are_snake_case_and_each_is_there_once() {
    let mut paths = BTreeSet::new();
    each_attribute(|_, path, attribute| {
        assert!(is_snake_case(attribute.name), "{path}");
        assert!(paths.insert(path.to_owned()), "{path} is there twice");
    });
}

#[test]
fn every_object_has_an_id_that_nobody_chooses() {
    for schema in schemas() {
        let id = schema.attribute("id").unwrap_or_else(|| panic!("{} has no id", schema.type_name));
        assert!(matches!(id.kind, Kind::String), "{}", schema.type_name);
        match schema.mode {
            Mode::Managed => assert_eq!(id.presence, Presence::Computed, "{}", schema.type_name),
            // A data source may be asked for by id.
            Mode::Data => assert!(
                matches!(id.presence, Presence::Computed | Presence::OptionalComputed),
                "{}",
                schema.type_name
            ),
        }
    }
}

#[test]
fn everything_is_documented_in_one_line() {
    for schema in schemas() {
        assert!(schema.doc.ends_with('.'), "{}: {:?}", schema.type_name, schema.doc);
    }
    each_attribute(|_, path, attribute| {
        let doc = attribute.doc;
        let is_line = doc.ends_with('.') && !doc.contains('\n') && doc.trim() == doc;
        assert!(is_line, "{path}: {doc:?}");
    });
}

#[test]
fn references_lead_somewhere() {
    let set = REGISTRY.schemas();
    let mut astray = Vec::new();
    each_attribute(|_, path, attribute| {
        let Some((type_name, name)) = attribute.refers_to else { return };
        let target =
            [Mode::Managed, Mode::Data].into_iter().find_map(|mode| set.get(mode, type_name));
        if target.is_none_or(|target| target.attribute(name).is_none()) {
            astray.push(format!("{path} refers to {type_name}.{name}"));
        }
    });
    assert!(astray.is_empty(), "{astray:#?}");
}

#[test]
fn what_is_said_of_an_attribute_fits_together() {
    each_attribute(|schema, path, attribute| {
        let is_computed = attribute.presence == Presence::Computed;
        let on_change = format!("{:?}", attribute.on_change);
        assert!(!is_computed || on_change == "Update", "{path} is computed and forces {on_change}");
        if schema.mode == Mode::Data {
            assert_eq!(on_change, "Update", "{path}: a data source changes nothing");
        }
        if let Some(default) = attribute.default {
            assert_eq!(attribute.presence, Presence::Optional, "{path} has a default");
            let fits = match attribute.kind {
                Kind::String => matches!(default.value(), Value::String(_)),
                Kind::Bool => matches!(default.value(), Value::Bool(_)),
                Kind::Int | Kind::Number => matches!(default.value(), Value::Number(_)),
                Kind::List(_) | Kind::Set(_) | Kind::Map(_) | Kind::Blocks(_) => false,
            };
            assert!(fits, "{path}: the default is of another kind");
            if let Check::OneOf(values) = attribute.check {
                let value = default.value();
                assert!(values.iter().any(|it| Some(*it) == value.as_str()), "{path}: {value:?}");
            }
        }
        if let Check::Range(low, high) = attribute.check {
            assert!(low <= high, "{path}");
        }
        for cause in attribute.recomputed_by {
            let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
            let is_nested = parent.trim_start_matches("data.").contains('.');
            assert!(is_nested || at(schema, cause).is_some(), "{path}: no attribute {cause}");
        }
    });
}

#[test]
fn blocks_are_possible() {
    each_attribute(|_, path, attribute| {
        let Kind::Blocks(Blocks { nesting, min, max, attributes }) = attribute.kind else { return };
        assert!(max.is_none_or(|max| *min <= max && max > 0), "{path}");
        assert!(!attributes.is_empty(), "{path}");
        let single = *max == Some(1);
        assert!(
            !single || *nesting == Nesting::List,
            "{path}: a single block has no order to lose"
        );
    });
}

#[test]
fn constraints_name_arguments() {
    for schema in schemas() {
        let check = |name: &str| {
            let attribute = at(schema, name);
            assert!(
                attribute.is_some_and(Attribute::is_argument),
                "{}: a constraint names {name}, which is no argument",
                schema.type_name
            );
        };
        for constraint in schema.constraints {
            match constraint {
                Constraint::Conflicts(names)
                | Constraint::ExactlyOne(names)
                | Constraint::AtLeastOne(names) => {
                    assert!(names.len() > 1, "{}: {constraint:?}", schema.type_name);
                    names.iter().for_each(|name| check(name));
                }
                Constraint::Requires(name, names) => {
                    check(name);
                    names.iter().for_each(|name| check(name));
                }
                Constraint::Rule(_) => {}
            }
        }
    }
}

#[test]
fn no_create_goes_without_a_way_back() {
    for schema in schemas() {
        match (schema.mode, schema.recovery) {
            (Mode::Data, recovery) => assert_eq!(recovery, Recovery::None, "{}", schema.type_name),
            (Mode::Managed, Recovery::None) => panic!("{} cannot be recovered", schema.type_name),
            (Mode::Managed, Recovery::NaturalKey(names)) => {
                for name in names {
                    assert!(at(schema, name).is_some(), "{}: no {name}", schema.type_name);
                }
            }
            (Mode::Managed, Recovery::OperationTag) => {
                assert!(schema.is_taggable(), "{} has no tags to go by", schema.type_name);
            }
            (Mode::Managed, Recovery::ClientToken) => {}
        }
    }
}

#[test]
fn tags_come_in_pairs() {
    for schema in schemas().into_iter().filter(|schema| schema.is_taggable()) {
        let tags = schema.attribute("tags").map(|attribute| attribute.presence);
        assert_eq!(tags, Some(Presence::Optional), "{}", schema.type_name);
        let all = schema.attribute("tags_all").map(|attribute| attribute.presence);
        assert_eq!(all, Some(Presence::Computed), "{}", schema.type_name);
    }
}

#[test]
fn permissions_are_named_as_iam_names_them() {
    for schema in schemas() {
        assert!(schema.mode == Mode::Data || !schema.iam_write.is_empty(), "{}", schema.type_name);
        for action in schema.iam_read.iter().chain(schema.iam_write) {
            let (service, call) = action.split_once(':').unwrap_or_default();
            let is_named =
                service.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                    && !service.is_empty()
                    && call.starts_with(|c: char| c.is_ascii_uppercase())
                    && call.chars().all(|c| c.is_ascii_alphanumeric());
            assert!(is_named, "{}: {action}", schema.type_name);
        }
        let reads = ["Describe", "Get", "List"];
        for action in schema.iam_read {
            let call = action.split_once(':').map_or("", |(_, call)| call);
            assert!(
                reads.iter().any(|verb| call.starts_with(verb)),
                "{}: planning must change nothing, and {action} may",
                schema.type_name
            );
        }
    }
}
