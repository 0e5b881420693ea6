//! That planning takes what a stack's size asks for, and no more: a walk that recurses, or that looks at everything for
//! everything, does not get through these. Times are measured elsewhere; here only counts are.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::thread;

use reconcile_model::plan::{PlanOptions, StepKind};
use reconcile_model::{Action, Object, ObjectId, ObjectState, Plan, Reason, Snapshot};
use reconcile_model::{ObjectStatus, ResourceState};
use reconcile_planner::lint::lint;
use reconcile_planner::{DataResults, Moves, Observation, Outcome, PlanInput, plan};
use reconcile_provider_fake::REGISTRY;
use reconcile_spec::{Inputs, Sources, load};

/// How long a chain is.
const COUNT: usize = 20_000;

/// How many there are of anything else. Where something cost the square of it, a test would take minutes.
const INSTANCES: usize = 5_000;

/// The stack of the thread that plans: small, so that recursion along a chain cannot hide.
const STACK: usize = 2 << 20;

/// Plans a spec against a state, on a thread of its own.
fn planned(text: String, prior: Snapshot, options: PlanOptions) -> Plan {
    let work = move || {
        let schemas = REGISTRY.schemas();
        let sources = Sources::from_texts("test", [("main.yaml", &*text)]);
        let spec = load(&sources, &Inputs::default(), &schemas).expect("the spec is good").spec;
        let moves = Moves::of(&spec, &prior);
        let prior = moves.relocated(&prior);
        let input = PlanInput {
            spec: &spec,
            prior: &prior,
            moves: &moves,
            imported: &BTreeSet::new(),
            observed: &Observation::default(),
            data: &DataResults::default(),
            schemas: &schemas,
            options: &options,
        };
        match plan(&input) {
            Ok(Outcome::Planned(planned)) => planned.plan,
            Ok(Outcome::NeedsData(reads)) => panic!("{reads:?}"),
            Err(found) => panic!("{found:#?}"),
        }
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(work).expect("threads can be had");
    let plan = thread.join().expect("planning ends well");
    assert!(lint(&plan).is_empty());
    plan
}

/// Returns the state in which a plan was carried out.
fn applied(plan: &Plan) -> Snapshot {
    let mut state = Snapshot::new("test", "lineage");
    for change in &plan.changes {
        let id = change.address.to_string();
        let known = |object: &Object| -> Object {
            let value = |name: &String| object.value(name).clone();
            let names = object.keys().filter(|name| !object.value(name).is_unknown());
            names.map(|name| (name.clone(), value(name))).collect()
        };
        let attributes = change.after.as_ref().map(known).expect("it was created");
        let object = ObjectState {
            id: ObjectId(id.clone()),
            status: ObjectStatus::Ready,
            attributes: attributes.with("id", id).with("zone", "a").with("address", "10.0.0.1"),
            schema_version: 1,
            provider: change.provider.clone(),
            region: None,
            dependencies: change.dependencies.clone(),
            created_at: None,
            create_before_destroy: change.create_before_destroy,
            timeouts: change.timeouts.clone(),
            operation: None,
        };
        let resource = ResourceState { current: Some(object), deposed: Vec::new() };
        state.resources.insert(change.address.clone(), resource);
    }
    state
}

fn edges(plan: &Plan) -> usize {
    plan.steps.iter().map(|step| step.waits_for.len()).sum()
}

fn count(plan: &Plan, action: Action) -> usize {
    plan.changes.iter().filter(|change| change.action == action).count()
}

/// A chain of blocks, every other one through a local.
fn chain(length: usize) -> String {
    let mut blocks = "resource:\n  fake_server:\n    s0: { image: linux }\n".to_owned();
    let mut locals = "locals:\n".to_owned();
    for index in 1..length {
        let before = format!("fake_server.s{}.id", index - 1);
        let name = if index % 2 == 0 { format!("local.l{index}") } else { before.clone() };
        let _ = writeln!(blocks, "    s{index}: {{ image: linux, note: \"${{{name}}}\" }}");
        if index % 2 == 0 {
            let _ = writeln!(locals, "  l{index}: \"${{{before}}}\"");
        }
    }
    locals + &blocks
}

#[test]
fn a_chain_is_made_and_destroyed_without_recursion() {
    let plan = planned(chain(COUNT), Snapshot::new("test", "lineage"), PlanOptions::default());
    assert_eq!(count(&plan, Action::Create), COUNT);
    // A create and a barrier for each; each but the first waits for the barrier before it.
    assert_eq!((plan.steps.len(), edges(&plan)), (2 * COUNT, 2 * COUNT - 1));
    let empty = "resource: { fake_group: { other: { name: other } } }".to_owned();
    let gone = planned(empty, applied(&plan), PlanOptions::default());
    assert_eq!(count(&gone, Action::Delete), COUNT);
    assert!(edges(&gone) <= 3 * COUNT, "{}", edges(&gone));
    // Users first.
    let deletes = gone.steps.iter().filter(|step| matches!(step.kind, StepKind::Delete(_)));
    let deletes = deletes.filter_map(|step| step.kind.change());
    let deletes = deletes.map(|index| gone.changes[index].address.resource.name.to_string());
    assert!(deletes.eq((0..COUNT).rev().map(|index| format!("s{index}"))));
}

#[test]
fn the_target_at_the_end_of_a_chain_brings_all_of_it() {
    let targets = vec![format!("fake_server.s{}", INSTANCES - 1)];
    let options = PlanOptions { targets, ..PlanOptions::default() };
    let plan = planned(chain(INSTANCES), Snapshot::new("test", "lineage"), options);
    assert_eq!(count(&plan, Action::Create), INSTANCES);
}

/// Two blocks of many instances, where each of one watches, uses, and links to those of the other.
fn pairs(image: &str, group: &str) -> String {
    format!(
        "resource:
  fake_group: {{ web: {{ count: {INSTANCES}, name: \"{group}-${{count.index}}\" }} }}
  fake_server:
    one:
      count: {INSTANCES}
      image: {image}
      groups: [\"${{fake_group.web[count.index].id}}\"]
    all:
      count: {INSTANCES}
      image: linux
      note: ${{fake_server.one[count.index].id}}
      lifecycle:
        replace_triggered_by: ['fake_server.one[count.index].image', fake_server.one]
"
    )
}

#[test]
fn what_many_watch_is_looked_at_once() {
    let first = pairs("linux", "web");
    let prior = applied(&planned(first, Snapshot::new("test", "lineage"), PlanOptions::default()));
    let plan = planned(pairs("bsd", "web"), prior, PlanOptions::default());
    let is_triggered = |it: &&reconcile_model::Change| matches!(it.reason, Reason::TriggeredBy(_));
    assert_eq!(plan.changes.iter().filter(is_triggered).count(), INSTANCES);
    assert!(edges(&plan) <= 12 * INSTANCES, "{}", edges(&plan));
}

#[test]
fn what_goes_is_found_by_what_it_is_called() {
    let first = pairs("linux", "web");
    let mut prior =
        applied(&planned(first, Snapshot::new("test", "lineage"), PlanOptions::default()));
    for (address, resource) in &mut prior.resources {
        if let ("one", Some(key), Some(object)) =
            (&*address.resource.name, &address.key, &mut resource.current)
        {
            object.attributes.set("groups", vec![format!("fake_group.web{key}")]);
        }
    }
    // New descriptions replace groups under their own names: each server lets go of its own.
    let text = pairs("linux", "web")
        .replace("\"web-${count.index}\"", "\"web-${count.index}\", description: new");
    let plan = planned(text, prior, PlanOptions::default());
    let detached = plan.steps.iter().filter_map(|step| {
        if let StepKind::Detach { of, .. } = &step.kind { Some(of.len()) } else { None }
    });
    assert!(detached.eq(std::iter::repeat_n(1, INSTANCES)));
}

#[test]
fn many_move_at_once() {
    let first = pairs("linux", "web");
    let prior = applied(&planned(first, Snapshot::new("test", "lineage"), PlanOptions::default()));
    let blocks = pairs("linux", "web").replace("one:", "first:").replace(".one", ".first");
    let single = (0..INSTANCES).map(|index| {
        format!("  - {{ from: 'fake_server.all[{index}]', to: 'fake_server.other[{index}]' }}\n")
    });
    let moves = format!(
        "moved:\n  - {{ from: fake_server.one, to: fake_server.first }}\n{}",
        single.collect::<String>()
    );
    let text = blocks.replace("all:", "other:") + &moves;
    let plan = planned(text, prior, PlanOptions::default());
    assert_eq!(plan.moves().len(), 2 * INSTANCES);
    assert_eq!((count(&plan, Action::Create), count(&plan, Action::Delete)), (0, 0));
}
