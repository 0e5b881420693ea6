//! A sensitive value is in no output, whatever it is part of and however it got there.

use std::collections::BTreeMap;

use reconcile_model::{
    Diff, Object, ObjectState, ResourceState, Snapshot, Value, plan::Cause, plan::CauseKind,
    snapshot::ObjectStatus,
};
use reconcile_report::{
    TextOptions,
    configuration::{Expression, OutputConfiguration, VariableConfiguration},
    show,
};

use crate::plans::{NEW_SECRET as NEW, OLD_SECRET as OLD, golden, plant_secrets, secretive};
use crate::support::{FORMATS, Making, address, live_listener, schemas};

/// Returns plans in which secrets appear, stay, change, go, and drift.
fn plans() -> Vec<Making> {
    let (old, new) = (live_listener(&secretive(OLD)), secretive(NEW));
    // What a provider returns has no marks: the schema alone says what is sensitive.
    let unmarked = old
        .unmarked()
        .with("document", "x")
        .with("policy", "{}")
        .with("stages", Vec::<Value>::new())
        .with("settings", Object::new());
    let mut all = Vec::new();
    for prior in [None, Some(&old), Some(&unmarked)] {
        let mut making = Making::new();
        making.plan("test_listener.a", &new, prior);
        all.push(making);
    }
    let mut making = Making::new();
    making.plan("test_listener.a", &secretive(OLD), Some(&old));
    making.delete("test_listener.b", &old);
    all.push(making);
    let mut making = Making::new();
    let change = making.plan("test_listener.a", &new, Some(&old));
    for cause in &mut change.causes {
        let recorded = Some(Value::from(OLD));
        *cause = Cause { kind: CauseKind::Drift, span: None, recorded };
    }
    // Only of the attribute that the schema calls sensitive does a recorded value come without a mark.
    for (path, cause) in change.changed.iter().zip(&mut change.causes) {
        if path.attribute() != Some("password") {
            cause.recorded = Some(Value::from(OLD).sensitive());
        }
    }
    making.drift("test_listener.a", &old, Some(&live_listener(&new)));
    making.drift("test_listener.b", &old, None);
    making.output("marked", Value::from(OLD).sensitive(), Value::from(NEW).sensitive());
    making.output("declared", OLD, NEW);
    making.plan.outputs.get_mut("declared").unwrap().sensitive = true;
    making.output("nested", Value::Null, vec![Value::from(NEW).sensitive()]);
    making.plan.variables.set("v", Value::from(NEW).sensitive());
    let variable =
        VariableConfiguration { default: Some(OLD.into()), sensitive: true, ..Default::default() };
    making.configuration.variables.insert("v".into(), variable);
    let expression = Expression::Constant(NEW.into());
    let output = OutputConfiguration { expression, sensitive: true, ..Default::default() };
    making.configuration.outputs.insert("declared".into(), output);
    all.push(making);
    all
}

fn check(what: &str, text: &str) {
    assert!(!text.contains("hunter2"), "{what} tells a secret:\n{text}");
}

#[test]
fn no_plan_tells_a_secret() {
    for making in plans() {
        for (format, show) in FORMATS {
            check(format, &show(&making));
        }
        assert!(making.text(80).contains("(sensitive value)"), "{}", making.text(80));
    }
}

#[test]
fn no_format_of_any_golden_plan_tells_a_secret() {
    for mut golden in golden() {
        plant_secrets(&mut golden.making);
        for (format, show) in FORMATS {
            check(&format!("{} as {format}", golden.name), &show(&golden.making));
        }
    }
}

#[test]
fn no_diff_holds_a_secret() {
    for making in plans() {
        for change in &making.plan.changes {
            let schema = schemas().get(change.address.resource.mode, change.address.type_name());
            check("a diff", &format!("{:?}", Diff::of_change(schema, change)));
            let marked = |side: &Option<Object>| {
                side.as_ref().map(|it| {
                    it.iter().map(|(k, v)| (k.clone(), v.clone().sensitive())).collect::<Object>()
                })
            };
            let (before, after) = (marked(&change.before), marked(&change.after));
            let diff = Diff::of_objects(None, before.as_ref(), after.as_ref(), &Default::default());
            check("a diff without a schema", &format!("{diff:?}"));
        }
    }
}

#[test]
fn what_is_recorded_tells_no_secret() {
    let object = |attributes: Object| ObjectState {
        id: "l-1".into(),
        status: ObjectStatus::Ready,
        attributes,
        schema_version: 1,
        provider: "aws".into(),
        region: None,
        dependencies: Default::default(),
        created_at: None,
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        operation: None,
    };
    let live = live_listener(&secretive(OLD));
    let sealed = reconcile_model::seal::seal_object(&live, "salt");
    for attributes in [live, sealed] {
        let mut snapshot = Snapshot::new("lab-web", "0b9a");
        let address = address("test_listener.a");
        let state = ResourceState {
            current: Some(object(attributes.clone())),
            deposed: vec![object(attributes)],
        };
        let options = TextOptions::default();
        check("state show", &show::resource(&address, &state, &schemas(), &options));
        check("state show", &show::resource_json(&address, &state, &schemas()).to_string());
        snapshot.resources.insert(address, state);
        snapshot.outputs.set("secret", Value::from(OLD).sensitive());
        check("show", &show::state(&snapshot, &schemas(), &options));
        let text = serde_json::to_string(&show::state_json(&snapshot, &schemas())).unwrap();
        check("show", &text);
        check("output", &show::outputs(&snapshot.outputs, &options));
        check("output", &show::outputs_json(&snapshot.outputs).to_string());
        check("output", &show::output(snapshot.outputs.value("secret")));
        check("output", &show::output_json(snapshot.outputs.value("secret")).to_string());
    }
}
