//! The phases of a run, one after the other, each timed.

use std::error::Error;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reconcile_engine::{Clock, Engine, Failure, Ids, Request, Stop};
use reconcile_model::{Plan, SchemaSet, plan::PlanMode};
use reconcile_provider_fake::{Cloud, REGISTRY};
use reconcile_report::{Configuration, TextOptions, json, text};
use reconcile_spec::{Inputs, Sources, Spec, head, load};
use reconcile_state::{LocalStore, OpenOptions, Store as _, format};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::shapes::Shape;

/// How many changes are in flight at once. Each waits for two polls, which all share and which come five times a second at
/// most: so many are needed to keep the engine busy.
const PARALLELISM: usize = 10_000;

/// How measurements are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// In columns, for people.
    Table,
    /// One JSON object a line.
    Json,
}

/// Time that stands still, and ids that count.
struct Counter(AtomicU64);

impl Clock for Counter {
    fn now(&self) -> u64 {
        1_700_000_000_000
    }
}

impl Ids for Counter {
    fn next(&self) -> String {
        format!("operation-{}", self.0.fetch_add(1, Ordering::Relaxed))
    }
}

/// When a phase began.
struct Start {
    at: Instant,
    spent: f64,
}

impl Start {
    fn now() -> Self {
        Self { at: Instant::now(), spent: processor_time().unwrap_or_default() }
    }
}

/// The measurements of one size of one shape.
struct Meter {
    shape: &'static str,
    size: usize,
    told: Told,
}

impl Meter {
    /// Tells what a phase took that began at `start`.
    fn tell(&self, what: &str, start: Start) -> io::Result<()> {
        let elapsed = start.at.elapsed();
        let spent = processor_time().unwrap_or_default() - start.spent;
        let size = u32::try_from(self.size.max(1)).unwrap_or(u32::MAX);
        let each = (elapsed / size).as_secs_f64() * 1e6;
        let resident = memory_mb("VmRSS:").unwrap_or_default();
        let peak = memory_mb("VmHWM:").unwrap_or_default();
        let mut out = io::stdout().lock();
        match self.told {
            Told::Json => {
                let line = serde_json::json!({
                    "what": what,
                    "size": self.size,
                    "shape": self.shape,
                    "seconds": elapsed.as_secs_f64(),
                    "per_resource_us": each,
                    "rss_mb": resident,
                    "peak_rss_mb": peak,
                    "cpu_seconds": spent,
                });
                writeln!(out, "{line}")
            }
            Told::Table => {
                let seconds = elapsed.as_secs_f64();
                let (shape, size) = (self.shape, self.size);
                writeln!(
                    out,
                    "{shape:8} {size:7} {what:22} {seconds:9.3} s {spent:8.2} s of CPU {each:9.1} µs/resource {resident:6.0} MB, peak {peak:6.0}"
                )
            }
        }
    }
}

/// Returns how much time the processors have spent on this process, in seconds; `None` where the system does not tell.
fn processor_time() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in brackets; the fourteenth and fifteenth are hundredths of seconds.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(next()?) / 100.0 + f64::from(next()?) / 100.0)
}

/// Returns how much memory of this process is resident (`VmRSS:`) or ever was (`VmHWM:`), in millions of bytes; `None`
/// where the system does not tell.
fn memory_mb(field: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kilobytes: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kilobytes) * 1024.0 / 1e6)
}

/// Measures a shape at a size: from its text to what is applied when `folder` has no state, else from its text and that
/// state to a plan without changes.
///
/// # Errors
///
/// When the run fails, or does not come to what it should.
pub(crate) async fn run(
    shape: &'static Shape,
    size: usize,
    folder: &Path,
    told: Told,
) -> Result<(), Box<dyn Error>> {
    let meter = Meter { shape: shape.name, size, told };
    let schemas = REGISTRY.schemas();
    let store = LocalStore::new(folder, "scale")?;
    let is_first = !fs::exists(store.location())?;
    let spec = spec(&meter, shape, &schemas, is_first)?;
    if is_first {
        first(&meter, &spec, &schemas, &store, shape.is_chain).await
    } else {
        again(&meter, &spec, &schemas, &store).await
    }
}

/// Reads the spec, and tells what that takes when it is the first time.
fn spec(
    meter: &Meter,
    shape: &Shape,
    schemas: &SchemaSet,
    is_first: bool,
) -> Result<Spec, Box<dyn Error>> {
    let files = (shape.files)(meter.size);
    let names: Vec<String> = (0..files.len()).map(|index| format!("{index:05}.yaml")).collect();
    let texts = names.iter().map(String::as_str).zip(files.iter().map(String::as_str));
    let sources = Sources::from_texts("scale", texts);
    if is_first {
        let start = Start::now();
        head(&sources).map_err(failed)?;
        meter.tell("parse", start)?;
    }
    let start = Start::now();
    let spec = load(&sources, &Inputs::default(), schemas).map_err(failed)?.spec;
    if is_first {
        meter.tell("load", start)?;
    }
    Ok(spec)
}

/// The first plan, and its apply where that is not a matter of waiting.
async fn first(
    meter: &Meter,
    spec: &Spec,
    schemas: &SchemaSet,
    store: &LocalStore,
    is_chain: bool,
) -> Result<(), Box<dyn Error>> {
    let stop = watch::Sender::new(Stop::No);
    let engine = engine(spec, schemas, store, Cloud::new(), &stop)?;
    let prepared = engine.prepare(open(), PlanMode::Apply).await.map_err(failed)?;
    let start = Start::now();
    let planned = engine.plan_prepared(&prepared, &Request::default()).await.map_err(failed)?;
    meter.tell("first plan", start)?;
    if planned.plan.counts().create != meter.size {
        return Err(format!("{} creates are planned", planned.plan.counts().create).into());
    }
    render(meter, "first plan", &planned.plan, schemas)?;
    if is_chain {
        return Ok(engine.abandon(&prepared).await.map_err(failed)?);
    }
    let start = Start::now();
    let report = engine.apply(&prepared, planned, PARALLELISM).await.map_err(failed)?;
    meter.tell("apply", start)?;
    if report.done.create == meter.size { Ok(()) } else { Err(format!("{report:?}").into()) }
}

/// What a run on what is there costs: reading and writing the state, and a plan that finds nothing to do. The cloud shares
/// nothing with the state, so what it adds to the memory is what it holds.
async fn again(
    meter: &Meter,
    spec: &Spec,
    schemas: &SchemaSet,
    store: &LocalStore,
) -> Result<(), Box<dyn Error>> {
    let start = Start::now();
    let view = store.peek().await?;
    meter.tell("state load", start)?;
    let start = Start::now();
    let cloud = Cloud::holding(&view.snapshot);
    meter.tell("cloud", start)?;
    let start = Start::now();
    let encoded = format::encode(&view.snapshot)?;
    fs::write(store.location() + ".copy", encoded.bytes)?;
    fs::File::open(store.location() + ".copy")?.sync_all()?;
    meter.tell("state save", start)?;
    let stop = watch::Sender::new(Stop::No);
    let engine = engine(spec, schemas, store, cloud, &stop)?;
    let start = Start::now();
    let planned = engine.plan(&view.snapshot, &Request::default()).await.map_err(failed)?;
    meter.tell("no-change plan", start)?;
    if !planned.plan.is_empty() {
        return Err("the second plan is not empty".into());
    }
    Ok(render(meter, "no-change plan", &planned.plan, schemas)?)
}

fn render(meter: &Meter, of: &str, plan: &Plan, schemas: &SchemaSet) -> io::Result<()> {
    let configuration = Configuration::default();
    let start = Start::now();
    let text = text::plan(plan, schemas, &configuration, &TextOptions::default());
    meter.tell(&format!("{of} as text"), start)?;
    drop(text);
    let start = Start::now();
    json::write(&json::plan(plan, schemas, &configuration), io::sink())?;
    meter.tell(&format!("{of} as JSON"), start)?;
    let start = Start::now();
    let fingerprint = plan.fingerprint();
    meter.tell(&format!("{of}'s fingerprint"), start)?;
    drop(fingerprint);
    Ok(())
}

fn engine<'a>(
    spec: &'a Spec,
    schemas: &'a SchemaSet,
    store: &'a LocalStore,
    cloud: Cloud,
    stop: &watch::Sender<Stop>,
) -> Result<Engine<'a>, String> {
    let counter = Arc::new(Counter(AtomicU64::new(0)));
    Engine::new(
        spec,
        schemas,
        Arc::new(cloud),
        store,
        Arc::clone(&counter) as Arc<dyn Clock>,
        counter,
        Arc::new(|_| {}),
        stop.subscribe(),
    )
    .map_err(failed)
}

fn open() -> OpenOptions {
    OpenOptions {
        lineage: "lineage".to_owned(),
        lock_timeout: Duration::ZERO,
        ..OpenOptions::default()
    }
}

fn failed(found: Failure) -> String {
    found.iter().map(|it| format!("{} {}\n", it.summary, it.detail)).collect()
}
