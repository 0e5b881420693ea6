//! A resource type's whole life, from a table.
//!
//! A [`Suite`] belongs to a type and has one or more [`Life`]s, each in a world of its own; they run side by side. A life
//! begins with a spec, which is applied and must then plan empty. Each [`Case`] edits the spec, checks what the plan does
//! with the argument, applies, and again expects an empty plan and the new value on record; with a drift it also changes
//! the object behind the tool's back, and expects the plan to show and to mend it. In the end everything is destroyed.
//! A suite fails if an argument of the type's schema has neither a case nor an exception with its reason.

use std::collections::BTreeSet;
use std::thread;

use reconcile_model::Mode;
use reconcile_model::schema::{Presence, Schema};
use serde_json::{Value, json};

use crate::support::World;

/// What a change to an argument comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A change in place.
    Update,
    /// A change in place that stops and starts the object.
    Restart,
    /// A replacement, the old object first.
    Replace,
    /// A replacement, the new object first.
    ReplaceCreateFirst,
    /// A new object, since the old one is gone.
    Create,
}

impl Expect {
    fn actions(self) -> Value {
        match self {
            Self::Update | Self::Restart => json!(["update"]),
            Self::Replace => json!(["delete", "create"]),
            Self::ReplaceCreateFirst => json!(["create", "delete"]),
            Self::Create => json!(["create"]),
        }
    }
}

type Parameters = Box<dyn Fn(&World) -> Value + Send + Sync>;

/// One change, by the spec or behind the tool's back, and what it comes to.
pub(crate) struct Case {
    arguments: Vec<&'static str>,
    expect: Expect,
    edits: Vec<(String, String)>,
    reads: Vec<(&'static str, Value)>,
    drift: Vec<(&'static str, &'static str, Parameters)>,
    mended_by: Expect,
    then: Option<fn(&World)>,
}

impl Case {
    fn new(arguments: &[&'static str], expect: Expect) -> Self {
        Self {
            arguments: arguments.to_vec(),
            expect,
            edits: Vec::new(),
            reads: Vec::new(),
            drift: Vec::new(),
            mended_by: expect,
            then: None,
        }
    }

    /// Arguments that change in place, all at once.
    pub(crate) fn update(arguments: &[&'static str]) -> Self {
        Self::new(arguments, Expect::Update)
    }

    /// Arguments that change in place with a stop and a start.
    pub(crate) fn restart(arguments: &[&'static str]) -> Self {
        Self::new(arguments, Expect::Restart)
    }

    /// Arguments of which each forces a replacement, the old object first.
    pub(crate) fn replace(arguments: &[&'static str]) -> Self {
        Self::new(arguments, Expect::Replace)
    }

    /// Arguments of which each forces a replacement, the new object first.
    pub(crate) fn replace_create_first(arguments: &[&'static str]) -> Self {
        Self::new(arguments, Expect::ReplaceCreateFirst)
    }

    /// The object deleted behind the tool's back; a [`Case::drift`] says how.
    pub(crate) fn lost() -> Self {
        Self::new(&[], Expect::Create)
    }

    /// Replaces a text in the spec, which must have it.
    pub(crate) fn edit(mut self, from: &str, to: &str) -> Self {
        self.edits.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Says what is recorded after the change, by JSON pointer into the attributes.
    pub(crate) fn reads(mut self, pointer: &'static str, value: Value) -> Self {
        self.reads.push((pointer, value));
        self
    }

    /// Makes an API call behind the tool's back when the spec's change is applied. The plan must show the drift and mend
    /// it the way the change was made.
    pub(crate) fn drift(
        mut self,
        service: &'static str,
        operation: &'static str,
        parameters: impl Fn(&World) -> Value + Send + Sync + 'static,
    ) -> Self {
        self.drift.push((service, operation, Box::new(parameters)));
        self
    }

    /// Says that the drift is mended in another way than the change was made.
    pub(crate) fn mended_by(mut self, expect: Expect) -> Self {
        self.mended_by = expect;
        self
    }

    /// Checks something more at the end of the case.
    pub(crate) fn then(mut self, check: fn(&World)) -> Self {
        self.then = Some(check);
        self
    }

    fn run(&self, world: &World, address: &str) {
        let name = format!("{address}: {:?}", self.arguments);
        if !self.edits.is_empty() {
            for (from, to) in &self.edits {
                world.edit("main.yaml", from, to);
            }
            let plan = world.plan_json();
            self.check(&plan, address, self.expect, &name);
            world.converge();
            self.check_reads(world, address, &name);
        }
        if !self.drift.is_empty() {
            for (service, operation, parameters) in &self.drift {
                world.call(service, operation, &parameters(world));
            }
            let plan = world.plan_json();
            let name = format!("{name}, drifted");
            let drift = of(&plan["reconcile"]["drift"], address);
            assert!(!drift.is_null(), "{name}: no drift is shown: {:#}", plan["reconcile"]);
            for argument in &self.arguments {
                let shown = has_path(&drift["changed"], argument);
                assert!(shown, "{name}: `{argument}` is not in the drift {drift}");
            }
            self.check(&plan, address, self.mended_by, &name);
            world.converge();
            self.check_reads(world, address, &name);
        }
        if let Some(then) = self.then {
            then(world);
        }
    }

    fn check(&self, plan: &Value, address: &str, expect: Expect, name: &str) {
        let own = of(&plan["reconcile"]["changes"], address);
        let change = &of(&plan["resource_changes"], address)["change"];
        assert_eq!(change["actions"], expect.actions(), "{name}: {own:#}");
        for argument in &self.arguments {
            assert!(has_path(&own["changed"], argument), "{name}: `{argument}` stays: {own:#}");
            let restarts = has_path(&own["restart"], argument);
            assert_eq!(restarts, expect == Expect::Restart, "{name}: restart by `{argument}`");
            let mut forces = change["replace_paths"].as_array().into_iter().flatten();
            let replaces = matches!(expect, Expect::Replace | Expect::ReplaceCreateFirst);
            let forced = forces.any(|path| path[0] == *argument);
            assert_eq!(forced, replaces, "{name}: replacement by `{argument}`: {change:#}");
        }
    }

    fn check_reads(&self, world: &World, address: &str, name: &str) {
        if self.reads.is_empty() {
            return;
        }
        let attributes = world.attributes(address);
        for (pointer, value) in &self.reads {
            let read = attributes.pointer(pointer).unwrap_or(&Value::Null);
            assert_eq!(read, value, "{name}: {pointer} in {attributes:#}");
        }
    }
}

/// One object in a world of its own, from creation to destruction.
pub(crate) struct Life {
    address: &'static str,
    spec: String,
    prepare: Option<fn(&World)>,
    begins: Option<fn(&World)>,
    ends: Option<fn(&World)>,
    cases: Vec<Case>,
}

impl Life {
    /// Returns the life of an object in a world that begins with a spec.
    pub(crate) fn new(address: &'static str, spec: &str) -> Self {
        Self {
            address,
            spec: spec.to_owned(),
            prepare: None,
            begins: None,
            ends: None,
            cases: Vec::new(),
        }
    }

    /// Prepares the world before the first apply.
    pub(crate) fn prepare(mut self, prepare: fn(&World)) -> Self {
        self.prepare = Some(prepare);
        self
    }

    /// Checks something when the object has been created.
    pub(crate) fn begins(mut self, check: fn(&World)) -> Self {
        self.begins = Some(check);
        self
    }

    /// Clears away, after the destruction, what the world was prepared with.
    pub(crate) fn ends(mut self, clear: fn(&World)) -> Self {
        self.ends = Some(clear);
        self
    }

    /// Adds what happens next.
    pub(crate) fn case(mut self, case: Case) -> Self {
        self.cases.push(case);
        self
    }

    fn run(&self, schema: &Schema, silent: &BTreeSet<&str>) {
        let world = World::with_spec(&self.spec);
        if let Some(prepare) = self.prepare {
            prepare(&world);
        }
        world.converge();
        let attributes = world.attributes(self.address);
        for attribute in schema.attributes {
            let tells = matches!(attribute.presence, Presence::Computed)
                && !silent.contains(attribute.name);
            let value = &attributes[attribute.name];
            assert!(!tells || !value.is_null(), "{} is null: {attributes:#}", attribute.name);
        }
        if let Some(begins) = self.begins {
            begins(&world);
        }
        for case in &self.cases {
            case.run(&world, self.address);
        }
        world.run(&["destroy", "--auto-approve"]).success();
        if let Some(ends) = self.ends {
            ends(&world);
        }
        world.assert_empty();
    }
}

/// All that is tested of a resource type.
pub(crate) struct Suite {
    schema: &'static Schema,
    lives: Vec<Life>,
    exceptions: BTreeSet<&'static str>,
    silent: BTreeSet<&'static str>,
}

impl Suite {
    /// Returns the suite of a resource type.
    pub(crate) fn new(type_name: &str) -> Self {
        let schema = reconcile_provider_aws::schemas().get(Mode::Managed, type_name);
        let schema = schema.expect("there is such a type");
        Self { schema, lives: Vec::new(), exceptions: BTreeSet::new(), silent: BTreeSet::new() }
    }

    /// Adds a life.
    pub(crate) fn life(mut self, life: Life) -> Self {
        self.lives.push(life);
        self
    }

    /// Leaves an argument without a case, for a reason.
    pub(crate) fn except(mut self, argument: &'static str, reason: &str) -> Self {
        assert!(!reason.is_empty(), "{argument}: an exception has a reason");
        self.exceptions.insert(argument);
        self
    }

    /// Names computed attributes that may be null, for a reason.
    pub(crate) fn silent(mut self, attributes: &[&'static str], reason: &str) -> Self {
        assert!(!reason.is_empty(), "{attributes:?}: an exception has a reason");
        self.silent.extend(attributes);
        self
    }

    /// Runs every life, and checks that every argument has its case.
    pub(crate) fn run(self) {
        let arguments: BTreeSet<&str> = self
            .schema
            .attributes
            .iter()
            .filter(|it| it.presence != Presence::Computed)
            .map(|it| it.name)
            .collect();
        let cases = self.lives.iter().flat_map(|life| &life.cases);
        let tested: BTreeSet<&str> = cases.flat_map(|case| case.arguments.clone()).collect();
        for argument in tested.union(&self.exceptions) {
            let known = self.schema.attributes.iter().any(|it| it.name == *argument);
            assert!(known, "{} has no `{argument}`", self.schema.type_name);
        }
        let open: Vec<_> = arguments
            .iter()
            .filter(|it| !tested.contains(*it) && !self.exceptions.contains(*it))
            .collect();
        assert!(open.is_empty(), "{}: no case for {open:?}", self.schema.type_name);
        thread::scope(|scope| {
            let (schema, silent) = (self.schema, &self.silent);
            for life in &self.lives {
                scope.spawn(move || life.run(schema, silent));
            }
        });
    }
}

/// Returns the entry of a list that is about an address.
fn of(list: &Value, address: &str) -> Value {
    let mut entries = list.as_array().into_iter().flatten();
    entries.find(|entry| entry["address"] == address).cloned().unwrap_or_default()
}

/// Tells whether a list of paths has an argument or something in it.
fn has_path(paths: &Value, argument: &str) -> bool {
    let mut paths = paths.as_array().into_iter().flatten().filter_map(Value::as_str);
    paths.any(|path| {
        path.strip_prefix(argument)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}
