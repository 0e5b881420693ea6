//! A model of the world, in which plans are carried out without calls.

use std::collections::BTreeSet;

use reconcile_model::plan::{PlanOptions, StepKind};
use reconcile_model::{
    Action, Diagnostic, Object, ObjectId, ObjectState, ObjectStatus, Plan, ResourceState,
    SchemaSet, Snapshot, Value, seal,
};
use reconcile_planner::lint::lint;
use reconcile_planner::{DataResults, Live, Moves, Observation, Outcome, PlanInput, plan};
use reconcile_provider_fake::REGISTRY;
use reconcile_spec::{Inputs, Sources, Spec, load};

/// A recorded state, what was found of it, and what is asked for.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) prior: Snapshot,
    pub(crate) observed: Observation,
    pub(crate) options: PlanOptions,
}

fn spec(text: &str, schemas: &SchemaSet) -> Spec {
    let sources = Sources::from_texts("test", [("main.yaml", text)]);
    load(&sources, &Inputs::default(), schemas)
        .unwrap_or_else(|found| panic!("{}", told(&found)))
        .spec
}

pub(crate) fn told(found: &[Diagnostic]) -> String {
    found.iter().map(|it| format!("{} {}\n", it.summary, it.detail)).collect()
}

impl World {
    /// Returns the world in which a spec was applied.
    pub(crate) fn of(text: &str) -> Self {
        let mut world = Self { prior: Snapshot::new("test", "lineage"), ..Self::default() };
        let made = world.plan(text).unwrap_or_else(|found| panic!("{}", told(&found)));
        world.apply(&made);
        world
    }

    pub(crate) fn plan(&self, text: &str) -> Result<Plan, Vec<Diagnostic>> {
        let schemas = REGISTRY.schemas();
        let spec = spec(text, &schemas);
        let moves = Moves::of(&spec, &self.prior);
        let input = PlanInput {
            spec: &spec,
            prior: &moves.relocated(&self.prior),
            moves: &moves,
            imported: &BTreeSet::new(),
            observed: &self.observed,
            data: &DataResults::default(),
            schemas: &schemas,
            options: &self.options,
        };
        match plan(&input)? {
            Outcome::Planned(planned) => Ok(planned.plan),
            Outcome::NeedsData(reads) => panic!("{reads:?}"),
        }
    }

    /// Carries a plan out: what is unknown in it becomes known.
    pub(crate) fn apply(&mut self, plan: &Plan) {
        self.prior.relocate(plan.moves().into_iter().map(|(to, from)| (from, to)));
        for change in plan
            .changes
            .iter()
            .filter(|it| it.address.resource.mode == reconcile_model::Mode::Managed)
        {
            if change.deposed && change.action != Action::Forget {
                self.prior
                    .resources
                    .get_mut(&change.address)
                    .expect("it is recorded")
                    .deposed
                    .clear();
                continue;
            }
            let Some(after) = &change.after else {
                self.prior.resources.remove(&change.address);
                continue;
            };
            let known = |(name, value): (&String, &Value)| {
                let value = match name.as_str() {
                    _ if value.is_known() => value.clone(),
                    // What the specs of these tests refer to.
                    "groups" => Value::List(vec!["id of fake_group.web".into()]),
                    "content" => "address of fake_server.web".into(),
                    other => format!("{other} of {}", change.address).into(),
                };
                (name.clone(), value)
            };
            let attributes: Object = after.iter().map(known).collect();
            let current = ObjectState {
                id: ObjectId::from(attributes.string("id").expect("every type has an id")),
                status: ObjectStatus::Ready,
                attributes: seal::seal_object(&attributes, "lineage"),
                schema_version: 1,
                provider: change.provider.clone(),
                region: None,
                dependencies: change.dependencies.clone(),
                created_at: None,
                create_before_destroy: change.create_before_destroy,
                timeouts: change.timeouts.clone(),
                operation: None,
            };
            let state = ResourceState { current: Some(current), deposed: Vec::new() };
            self.prior.resources.insert(change.address.clone(), state);
        }
        for (name, output) in &plan.outputs {
            if output.action == Action::Delete {
                self.prior.outputs.remove(name);
            } else {
                self.prior.outputs.set(name, seal::seal(&output.after, "lineage"));
            }
        }
        self.observed = Observation::default();
    }

    pub(crate) fn state(&mut self, address: &str) -> &mut ObjectState {
        let address = address.parse().expect("it is an address");
        self.prior
            .resources
            .get_mut(&address)
            .and_then(|it| it.current.as_mut())
            .expect("it is recorded")
    }

    /// Makes an attribute of a live object another than the recorded one.
    pub(crate) fn drift(&mut self, address: &str, name: &str, value: impl Into<Value>) {
        let ObjectState { id, attributes, .. } = self.state(address).clone();
        let live = Live::Present(attributes.with(name, value));
        self.observed.insert(address.parse().expect("it is an address"), id, live);
    }
}

/// Checks what a plan does, in which order, and that it converges.
#[track_caller]
pub(crate) fn check(mut world: World, text: &str, expected: &str) {
    let made = world.plan(text).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert_eq!(lint(&made), Vec::<String>::new());
    assert_eq!(shown(&made).trim(), expected.trim());
    world.apply(&made);
    world.options = PlanOptions { mode: world.options.mode, ..PlanOptions::default() };
    let again = world.plan(text).unwrap_or_else(|found| panic!("{}", told(&found)));
    assert!(again.is_empty(), "{}", shown(&again));
}

/// Checks that a plan is refused.
#[track_caller]
pub(crate) fn check_refused(world: &World, text: &str, expected: &str) {
    let found = world.plan(text).expect_err("it is refused");
    assert!(found[0].summary.contains(expected), "{}", told(&found));
}

/// Returns the steps in their order, each with its reason and what it changes.
pub(crate) fn shown(plan: &Plan) -> String {
    let line = |kind: &StepKind| {
        let change = &plan.changes[kind.change()?];
        let verb = format!("{kind:?}").to_lowercase();
        let verb = verb.split('(').next().unwrap_or_default();
        let paths =
            if matches!(kind, StepKind::Update(_)) { &change.changed } else { &change.replace };
        let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
        let paths =
            if paths.is_empty() { String::new() } else { format!(" ({})", paths.join(", ")) };
        Some(format!("{verb} {}: {:?}{paths}\n", change.address, change.reason))
    };
    plan.steps.iter().filter_map(|step| line(&step.kind)).collect()
}
