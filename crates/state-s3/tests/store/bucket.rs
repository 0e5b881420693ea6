//! A bucket in memory, and clients of it that can be made to fail at any call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use reconcile_model::{Address, Object as Values, Snapshot, event::Verb};
use reconcile_state::{Holder, Intent, OpenOptions, Record, Session, StateChange, Store as _};
use reconcile_state_s3::{Bucket, BucketError, Condition, Object, S3Config, S3Store};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// The stack that all tests are about.
pub(crate) const STACK: &str = "web";

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(20);

/// What is in the bucket; clients share it.
#[derive(Clone, Default)]
pub(crate) struct World {
    objects: Arc<Mutex<Objects>>,
}

#[derive(Default)]
struct Objects {
    by_key: BTreeMap<String, (Vec<u8>, u64, Instant)>,
    writes: u64,
}

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not carried out, and there is no answer.
    CutBefore,
    /// It is carried out, and there is no answer.
    CutAfter,
    /// There is no answer, and it is carried out some time later.
    Late(Duration),
    /// It is refused because another write is under way.
    Conflict,
    /// The client is stopped before, until it is told to go on; never told, it was killed.
    StoppedBefore,
    /// The client is stopped after it was carried out, until it is told to go on.
    StoppedAfter,
}

/// One machine's way to the bucket.
pub(crate) struct Client {
    world: World,
    /// What goes wrong, at which call from zero.
    fault: Option<(u64, Fault)>,
    calls: Mutex<BTreeMap<&'static str, u64>>,
    /// Told when the fault strikes.
    pub(crate) struck: Notify,
    /// Whether it is at work: a client that was killed or stopped makes no call, until it is told to go on.
    pub(crate) runs: watch::Sender<bool>,
    /// Whether conditions are passed over, as by a service that does not know them.
    pub(crate) is_lax: bool,
    /// Whether the service says what time it is.
    pub(crate) tells_time: bool,
}

impl World {
    pub(crate) fn client(&self) -> Arc<Client> {
        self.client_with(None)
    }

    pub(crate) fn client_with(&self, fault: Option<(u64, Fault)>) -> Arc<Client> {
        Arc::new(Client {
            world: self.clone(),
            fault,
            calls: Mutex::default(),
            struck: Notify::new(),
            runs: watch::Sender::new(true),
            is_lax: false,
            tells_time: true,
        })
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.objects.lock().unwrap()
    }

    /// Returns every object.
    pub(crate) fn content(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.objects();
        objects.by_key.iter().map(|(key, (bytes, ..))| (key.clone(), bytes.clone())).collect()
    }

    /// Puts these objects in the place of all others.
    pub(crate) fn holding(content: &BTreeMap<String, Vec<u8>>) -> Self {
        let world = Self::default();
        for (key, bytes) in content {
            world.objects().put(key, bytes.clone());
        }
        world
    }

    pub(crate) fn store(&self) -> S3Store {
        store(&self.client())
    }

    pub(crate) async fn count(&self) -> i64 {
        count(&self.store().peek().await.unwrap().snapshot)
    }
}

impl Objects {
    fn put(&mut self, key: &str, body: Vec<u8>) -> String {
        self.writes += 1;
        let write = self.writes;
        self.by_key.insert(key.to_owned(), (body, write, Instant::now()));
        format!("\"{write}\"")
    }
}

impl Client {
    /// Returns how many calls were made, by kind.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn total(&self) -> u64 {
        self.calls().values().sum()
    }

    async fn call<T: Send + 'static>(
        &self,
        kind: &'static str,
        work: impl Fn(&mut Objects) -> Result<T, BucketError> + Send + Sync + 'static,
    ) -> Result<T, BucketError> {
        let number = {
            let mut calls = self.calls.lock().unwrap();
            let number: u64 = calls.values().sum();
            *calls.entry(kind).or_default() += 1;
            number
        };
        tokio::time::sleep(LATENCY).await;
        self.running().await;
        let fault = self.fault.as_ref().filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        let unclear = || BucketError::Unclear { message: "no answer".to_owned() };
        let Some(fault) = fault else { return work(&mut self.world.objects()) };
        match fault {
            Fault::CutBefore => Err(unclear()),
            Fault::CutAfter => {
                let _done = work(&mut self.world.objects()).is_ok();
                Err(unclear())
            }
            Fault::Late(delay) => {
                let (world, delay) = (self.world.clone(), *delay);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    let _done = work(&mut world.objects()).is_ok();
                });
                Err(unclear())
            }
            Fault::Conflict => Err(BucketError::Conflict),
            Fault::StoppedBefore => {
                self.runs.send_replace(false);
                self.struck.notify_one();
                self.running().await;
                work(&mut self.world.objects())
            }
            Fault::StoppedAfter => {
                self.runs.send_replace(false);
                self.struck.notify_one();
                let result = work(&mut self.world.objects());
                self.running().await;
                result
            }
        }
    }

    async fn running(&self) {
        self.runs.subscribe().wait_for(|runs| *runs).await.unwrap();
    }
}

#[async_trait]
impl Bucket for Client {
    fn name(&self, key: &str) -> String {
        format!("s3://states/{key}")
    }

    async fn get(&self, key: &str) -> Result<Option<Object>, BucketError> {
        let (key, tells_time) = (key.to_owned(), self.tells_time);
        let get = move |objects: &mut Objects| {
            let found = objects.by_key.get(&key);
            Ok(found.map(|(bytes, write, written)| Object {
                bytes: bytes.clone(),
                etag: format!("\"{write}\""),
                age: tells_time.then(|| Duration::from_secs(written.elapsed().as_secs())),
            }))
        };
        self.call("get", get).await
    }

    async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        condition: &Condition,
    ) -> Result<String, BucketError> {
        let (key, condition, is_lax) = (key.to_owned(), condition.clone(), self.is_lax);
        let put = move |objects: &mut Objects| {
            let found = objects.by_key.get(&key).map(|(_, write, _)| format!("\"{write}\""));
            let holds = match &condition {
                Condition::Absent => found.is_none(),
                Condition::Matches(etag) => found.as_ref() == Some(etag),
            };
            if !holds && !is_lax {
                return Err(BucketError::Condition);
            }
            Ok(objects.put(&key, body.clone()))
        };
        self.call("put", put).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let prefix = prefix.to_owned();
        let list = move |objects: &mut Objects| {
            let keys = objects.by_key.keys().filter(|key| key.starts_with(&prefix));
            Ok(keys.cloned().collect())
        };
        self.call("list", list).await
    }

    async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let key = key.to_owned();
        let delete = move |objects: &mut Objects| {
            objects.by_key.remove(&key);
            Ok(())
        };
        self.call("delete", delete).await
    }
}

pub(crate) fn store(client: &Arc<Client>) -> S3Store {
    let bucket: Arc<dyn Bucket> = Arc::clone(client) as _;
    S3Store::with_bucket(bucket, S3Config::new("states", "teams/web.json"), STACK)
}

pub(crate) fn options(writer: &str) -> OpenOptions {
    OpenOptions {
        holder: Holder {
            pid: 4242,
            host: "build-7".to_owned(),
            user: writer.to_owned(),
            command: "reconcile apply".to_owned(),
            since: 1_700_000_000,
        },
        lineage: format!("lineage-of-{writer}"),
        writer: writer.to_owned(),
        ..OpenOptions::default()
    }
}

/// Returns options that wait for as long as it takes.
pub(crate) fn patient(writer: &str) -> OpenOptions {
    OpenOptions { lock_timeout: Duration::from_secs(1_000_000), ..options(writer) }
}

pub(crate) fn record(count: i64) -> Record {
    let outputs = Values::new().with("count", count);
    Record::Commit { operation: None, change: StateChange::SetOutputs { outputs } }
}

/// Returns the intent of a create.
pub(crate) fn intent(operation: &str) -> Record {
    let address: Address = format!("aws_instance.{operation}").parse().unwrap();
    Record::Intent(Box::new(Intent {
        operation: operation.to_owned(),
        address,
        verb: Verb::Create,
        provider: "aws".to_owned(),
        region: None,
        id: None,
        request: Values::new(),
        schema_version: 1,
        restart: false,
        dependencies: Default::default(),
        create_before_destroy: false,
        timeouts: BTreeMap::new(),
        attempt: 1,
        at: 1_700_000_000,
    }))
}

pub(crate) fn count(snapshot: &Snapshot) -> i64 {
    snapshot.outputs.i64("count").unwrap_or(0)
}

/// Appends the next number, and returns it once that is acknowledged.
pub(crate) async fn next(session: &dyn Session) -> Result<i64, reconcile_state::StateError> {
    let next = count(&session.snapshot()) + 1;
    session.append(record(next)).await.map(|()| next)
}
