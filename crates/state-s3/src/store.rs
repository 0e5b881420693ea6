//! The store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt as _, stream};
use reconcile_state::load::{Loaded, Names};
use reconcile_state::{
    Lock, Medium, OpenOptions, Session, StateError, Store, View, journal, session,
};
use tokio::sync::OnceCell;

use crate::chain::{End, Taken};
use crate::layout::{Generations, Layout};
use crate::lease::{self, Lease};
use crate::read::{Reader, Reading};
use crate::sure::{self, Put};
use crate::{Bucket, Condition, S3Config, aws};

/// How often a state is read again when another process seems to have changed it meanwhile.
const TRIES: usize = 5;

/// How long is waited before.
const PAUSE: Duration = Duration::from_millis(200);

/// How many objects are deleted at once.
const AT_ONCE: usize = 8;

/// One stack's state in a bucket.
pub struct S3Store {
    stack: String,
    config: S3Config,
    layout: Layout,
    bucket: OnceCell<Arc<dyn Bucket>>,
}

impl S3Store {
    /// Returns the store of a stack. Nothing is connected before it is used.
    pub fn new(config: S3Config, stack: &str) -> Self {
        let layout = Layout::new(&config.key);
        Self { stack: stack.to_owned(), config, layout, bucket: OnceCell::new() }
    }

    /// Returns the store of a stack in a bucket that is connected already.
    pub fn with_bucket(bucket: Arc<dyn Bucket>, config: S3Config, stack: &str) -> Self {
        Self { bucket: OnceCell::new_with(Some(bucket)), ..Self::new(config, stack) }
    }

    async fn bucket(&self) -> Result<Arc<dyn Bucket>, StateError> {
        let connect = || async {
            let bucket = aws::connect(&self.config).await?;
            Ok::<_, StateError>(Arc::new(bucket) as Arc<dyn Bucket>)
        };
        self.bucket.get_or_try_init(connect).await.cloned()
    }

    async fn generations(&self, bucket: &dyn Bucket) -> Result<Generations, StateError> {
        let keys = sure::list(bucket, &self.layout.journal()).await?;
        Ok(self.layout.sort(&keys))
    }

    async fn look(&self, bucket: &dyn Bucket, names: &Names) -> Result<Reading, StateError> {
        let generations = self.generations(bucket).await?;
        let (layout, stack) = (&self.layout, self.stack.as_str());
        let reader = Reader { bucket, layout, stack, names };
        reader.read(generations.newest(), BTreeMap::new(), "").await
    }

    /// Takes the end of the journal, reads what is before it, and makes good what a crash left.
    async fn begin(
        &self,
        remote: &mut Remote,
        names: &Names,
        options: &OpenOptions,
    ) -> Result<Loaded, StateError> {
        let bucket = Arc::clone(&remote.bucket);
        let (taken, generations) = self.take_end(&*bucket, &remote.lease, options).await?;
        let newest = generations.newest();
        let known = match &taken {
            Taken::Ours(end) => (end.number, end.segment()),
            Taken::Sealed(number, segment) => (*number, segment.clone()),
        };
        let (layout, stack) = (&self.layout, self.stack.as_str());
        let reader = Reader { bucket: &*bucket, layout, stack, names };
        let reading = reader.read(newest, BTreeMap::from([known]), &options.lineage).await?;
        let Reading { mut loaded, snapshot, publish, begin } = reading;
        if !options.takes_moved {
            loaded = loaded.present(names)?;
        }
        let number = newest.map_or(1, |(number, _)| number);
        remote.snapshot = snapshot.as_ref().map(|it| it.etag.clone());
        let heal = loaded.heal.clone();
        if let (true, Some(damaged)) = (heal.is_damaged, &snapshot) {
            remote.put_over(&self.layout.damaged(), &damaged.bytes).await?;
        }
        let publish = publish.or(heal.snapshot);
        if let Some(bytes) = &publish {
            remote.publish(bytes).await?;
        }
        match (taken, begin) {
            (Taken::Ours(end), _) => remote.end = end,
            (Taken::Sealed(..), begin) => {
                remote.begin(number + 1, begin.unwrap_or_default()).await?;
            }
        }
        let bytes = publish.or(snapshot.map(|it| it.bytes));
        match (bytes, heal.journal, &loaded.header.snapshot) {
            // The journal that is there has led to the snapshot, and another begins.
            (Some(bytes), Some(journal), _) => remote.rotate(bytes, journal).await?,
            // A snapshot that was put there without a journal.
            (Some(bytes), None, Some(sum)) if loaded.chain.is_none() => {
                remote.put_over(&self.layout.base(remote.end.generation, sum), &bytes).await?;
            }
            (Some(_) | None, _, _) => {}
        }
        Ok(loaded)
    }

    /// Takes the end of the journal.
    async fn take_end(
        &self,
        bucket: &dyn Bucket,
        lease: &Lease,
        options: &OpenOptions,
    ) -> Result<(Taken, Generations), StateError> {
        for _ in 0..TRIES {
            let generations = self.generations(bucket).await?;
            let newest = generations.newest();
            let taken = End::take(bucket, &self.layout, lease, &options.writer, newest).await?;
            if let Some(taken) = taken {
                return Ok((taken, generations));
            }
            // The writer before has made a last write, or one that was held up has landed.
            tokio::time::sleep(PAUSE).await;
        }
        Err(lease.lost_to_somebody().await)
    }
}

#[async_trait]
impl Store for S3Store {
    fn location(&self) -> String {
        format!("s3://{}/{}", self.config.bucket, self.config.key)
    }

    async fn peek(&self) -> Result<View, StateError> {
        let bucket = self.bucket().await?;
        let names = self.layout.names(&*bucket);
        let mut tries = 0;
        loop {
            tries += 1;
            let reading = self.look(&*bucket, &names).await;
            let is_sound = reading.as_ref().is_ok_and(|it| it.loaded.repairs.is_empty());
            let is_final = matches!(reading, Err(StateError::Service { .. }));
            if is_sound || is_final || tries == TRIES {
                return reading?.loaded.present(&names).map(Loaded::into_view);
            }
            // A checkpoint of another process may be between two of its writes.
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn open(&self, options: OpenOptions) -> Result<Box<dyn Session>, StateError> {
        let bucket = self.bucket().await?;
        let names = self.layout.names(&*bucket);
        let lease = Lease::take(&bucket, &self.layout, self.config.lease, &options).await?;
        let mut remote = Remote {
            end: End::new(&options.writer, 0),
            snapshot: None,
            stack: self.stack.clone(),
            layout: self.layout.clone(),
            writer: options.writer.clone(),
            bucket,
            lease,
        };
        let begun = self.begin(&mut remote, &names, &options).await;
        // Who was held up past its lease may have read what no longer belongs together.
        match remote.lease.check().and(begun) {
            Ok(loaded) => Ok(session::start(Box::new(remote), names, loaded)),
            Err(error) => {
                // Where this fails too, the lease expires by itself.
                let _released = remote.release().await.is_ok();
                Err(error)
            }
        }
    }

    async fn lock(&self) -> Result<Option<Lock>, StateError> {
        lease::look(&*self.bucket().await?, &self.layout).await
    }

    async fn unlock(&self, lock: &Lock) -> Result<(), StateError> {
        lease::free(&*self.bucket().await?, &self.layout, lock).await
    }
}

/// The medium: one stack's state in a bucket, while the lease is held.
struct Remote {
    bucket: Arc<dyn Bucket>,
    layout: Layout,
    stack: String,
    writer: String,
    lease: Lease,
    /// Where the journal goes on.
    end: End,
    /// The `ETag` of the snapshot, if there is one.
    snapshot: Option<String>,
}

impl Remote {
    /// Puts a new snapshot in the place of the one that is there.
    async fn publish(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        self.lease.check()?;
        let condition = Condition::unchanged(self.snapshot.as_deref());
        let (key, deadline) = (self.layout.snapshot(), self.lease.deadline());
        match sure::put(&*self.bucket, key, bytes, &condition, deadline).await? {
            Put::Done(etag) => {
                self.snapshot = Some(etag);
                Ok(())
            }
            Put::Taken(_) => Err(self.lease.lost_to_somebody().await),
        }
    }

    /// Begins a generation.
    async fn begin(&mut self, generation: u64, journal: Vec<u8>) -> Result<(), StateError> {
        let (bucket, layout, lease) = (&*self.bucket, &self.layout, &self.lease);
        let begun = End::begin(bucket, layout, lease, &self.writer, generation, journal).await?;
        match begun {
            Some(end) => {
                self.end = end;
                Ok(())
            }
            None => Err(self.lease.lost_to_somebody().await),
        }
    }

    /// Writes an object, whatever is there.
    async fn put_over(&self, key: &str, bytes: &[u8]) -> Result<(), StateError> {
        let mut condition = Condition::Absent;
        loop {
            self.lease.check()?;
            let deadline = self.lease.deadline();
            match sure::put(&*self.bucket, key, bytes, &condition, deadline).await? {
                Put::Done(_) => return Ok(()),
                Put::Taken(found) => {
                    condition = Condition::unchanged(found.as_ref().map(|it| it.etag.as_str()));
                }
            }
        }
    }

    /// Deletes what is older than a generation. What cannot be deleted now is deleted at the next checkpoint.
    async fn tidy(&self, generation: u64) {
        let Ok(keys) = self.bucket.list(&self.layout.journal()).await else { return };
        let older = self.layout.sort(&keys).older(generation);
        let delete = |key: String| {
            let bucket = Arc::clone(&self.bucket);
            async move { bucket.delete(&key).await }
        };
        let deletes = stream::iter(older.into_iter().map(delete)).buffer_unordered(AT_ONCE);
        let _done: Vec<_> = deletes.collect().await;
    }
}

#[async_trait]
impl Medium for Remote {
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), StateError> {
        let is_ours = self.end.append(&*self.bucket, &self.layout, &self.lease, &lines).await?;
        if is_ours { Ok(()) } else { Err(self.lease.lost_to_somebody().await) }
    }

    async fn rotate(&mut self, snapshot: Vec<u8>, journal: Vec<u8>) -> Result<(), StateError> {
        let generation = self.end.generation;
        let header = journal::first_line(&journal, &self.stack);
        let sum = header.and_then(|header| header.snapshot).unwrap_or_default();
        // First what the seal promises, then the seal, which decides; the rest anybody can do after a crash.
        self.put_over(&self.layout.base(generation + 1, &sum), &snapshot).await?;
        let (bucket, layout, lease) = (&*self.bucket, &self.layout, &self.lease);
        if !self.end.seal(bucket, layout, lease, journal.clone()).await? {
            return Err(self.lease.lost_to_somebody().await);
        }
        self.publish(&snapshot).await?;
        self.begin(generation + 1, journal).await?;
        self.tidy(generation).await;
        Ok(())
    }

    async fn release(&mut self) -> Result<(), StateError> {
        self.lease.release().await
    }
}
