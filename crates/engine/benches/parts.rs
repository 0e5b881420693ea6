//! Benches of the parts of a run, each alone: `cargo bench -p reconcile-engine`.
//!
//! They are for comparing two versions of one part. What a whole run costs at scale is measured by the example `scale`.

#[expect(dead_code, reason = "the example needs more of a shape than its spec")]
#[path = "../examples/scale/shapes.rs"]
mod shapes;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use reconcile_model::proposed::{Renewal, propose};
use reconcile_model::{Diff, InstanceKey, Object, Plan, SchemaSet, Snapshot};
use reconcile_planner::{DataResults, Moves, Observation, Outcome, PlanInput, plan};
use reconcile_provider_fake::REGISTRY;
use reconcile_report::{Configuration, TextOptions, json, text};
use reconcile_spec::{Inputs, Scope, Sources, Spec, head, load};
use reconcile_state::{LocalStore, OpenOptions, Record, StateChange, Store as _};

/// How many resources the spec of a bench has.
const SIZE: usize = 1_000;

/// How many records are appended to the journal together.
const RECORDS: usize = 100;

fn sources(shape: &str) -> Sources {
    let shape = shapes::SHAPES.iter().find(|it| it.name == shape).expect("a shape of this name");
    let files = (shape.files)(SIZE);
    let names: Vec<String> = (0..files.len()).map(|index| format!("{index}.yaml")).collect();
    Sources::from_texts(
        "bench",
        names.iter().map(String::as_str).zip(files.iter().map(String::as_str)),
    )
}

fn spec(shape: &str, schemas: &SchemaSet) -> Spec {
    load(&sources(shape), &Inputs::default(), schemas).expect("the shapes are good specs").spec
}

fn first_plan(spec: &Spec, schemas: &SchemaSet) -> Plan {
    let prior = Snapshot::new("bench", "lineage");
    let input = PlanInput {
        spec,
        prior: &prior,
        moves: &Moves::default(),
        imported: &BTreeSet::new(),
        observed: &Observation::default(),
        data: &DataResults::default(),
        schemas,
        options: &reconcile_model::plan::PlanOptions::default(),
    };
    match plan(&input).expect("the shapes can be planned") {
        Outcome::Planned(planned) => planned.plan,
        Outcome::NeedsData(_) => unreachable!("the shapes have no data sources"),
    }
}

/// Reading YAML, and the rest of loading: names, expressions, the graph, static checks.
fn loading(c: &mut Criterion) {
    let schemas = REGISTRY.schemas();
    let mut group = c.benchmark_group("load");
    group.throughput(Throughput::Elements(SIZE as u64));
    for shape in ["blocks", "fleet"] {
        let sources = sources(shape);
        group.bench_function(format!("parse/{shape}"), |b| {
            b.iter(|| head(black_box(&sources)));
        });
        group.bench_function(format!("all/{shape}"), |b| {
            b.iter(|| load(black_box(&sources), &Inputs::default(), &schemas));
        });
    }
    // Little but edges.
    let chain = sources("chain");
    group.bench_function("graph/chain", |b| {
        b.iter(|| load(black_box(&chain), &Inputs::default(), &schemas));
    });
    group.finish();
}

/// The arguments of one instance, from the expressions of its block.
fn evaluating(c: &mut Criterion) {
    let schemas = REGISTRY.schemas();
    let spec = spec("fleet", &schemas);
    let scope = Scope::new(&spec);
    let server = spec.blocks.values().find(|it| it.schema.type_name == "fake_server");
    let server = server.expect("a fleet has servers");
    c.bench_function("evaluate", |b| {
        b.iter(|| scope.configure(black_box(server), Some(&InstanceKey::Index(1))));
    });
}

/// What an object will be, and how two plans of it differ.
fn comparing(c: &mut Criterion) {
    let schemas = REGISTRY.schemas();
    let spec = spec("fleet", &schemas);
    let plan = first_plan(&spec, &schemas);
    let change = plan.changes.iter().find(|it| it.address.type_name() == "fake_server");
    let change = change.expect("a fleet has servers");
    let block = &spec.blocks[&change.address.resource];
    let config = Scope::new(&spec)
        .configure(block, change.address.key.as_ref())
        .expect("the shapes are good specs");
    let prior = change.after.clone().expect("a create has an after");
    let none = Object::new();
    c.bench_function("propose", |b| {
        b.iter(|| {
            propose(block.schema, &config, Some(black_box(&prior)), &none, Renewal::IfForced)
        });
    });
    let schema = Some(block.schema);
    c.bench_function("diff", |b| b.iter(|| Diff::of_change(schema, black_box(change))));
}

/// Planning, and its result as text and as JSON.
fn planning(c: &mut Criterion) {
    let schemas = REGISTRY.schemas();
    let spec = spec("fleet", &schemas);
    let plan = first_plan(&spec, &schemas);
    let configuration = Configuration::default();
    let mut group = c.benchmark_group("plan");
    group.throughput(Throughput::Elements(SIZE as u64));
    group.bench_function("make", |b| b.iter(|| first_plan(black_box(&spec), &schemas)));
    group.bench_function("text", |b| {
        b.iter(|| text::plan(black_box(&plan), &schemas, &configuration, &TextOptions::default()));
    });
    group.bench_function("json", |b| {
        b.iter(|| json::write(&json::plan(black_box(&plan), &schemas, &configuration), io::sink()));
    });
    group.bench_function("fingerprint", |b| b.iter(|| black_box(&plan).fingerprint()));
    group.finish();
}

/// Appending to a journal on disk, until it is on stable storage.
fn journal(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let store = LocalStore::new(folder.path(), "bench").expect("a good name");
    let open = OpenOptions { lineage: "lineage".to_owned(), ..OpenOptions::default() };
    let session = Arc::new(runtime.block_on(store.open(open)).expect("nobody has the lock"));
    let serial = AtomicU64::new(0);
    let record = || {
        let serial = serial.fetch_add(1, Ordering::Relaxed);
        let outputs = Object::new().with("serial", serial.to_string());
        Record::Commit { operation: None, change: StateChange::SetOutputs { outputs } }
    };
    let mut group = c.benchmark_group("journal");
    group.throughput(Throughput::Elements(1));
    group.bench_function("append", |b| {
        b.iter_batched(record, |it| runtime.block_on(session.append(it)), BatchSize::SmallInput);
    });
    group.throughput(Throughput::Elements(RECORDS as u64));
    group.bench_function("append together", |b| {
        let records = || (0..RECORDS).map(|_| record()).collect::<Vec<_>>();
        let append = |records: Vec<Record>| {
            let all = records.into_iter().map(|record| session.append(record));
            runtime.block_on(futures::future::join_all(all))
        };
        b.iter_batched(records, append, BatchSize::SmallInput);
    });
    group.finish();
    runtime.block_on(session.close()).expect("the lock can be given back");
}

criterion_group!(benches, loading, evaluating, comparing, planning, journal);
criterion_main!(benches);
