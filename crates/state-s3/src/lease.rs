//! The lease: the lock on a stack's state, which ends by itself.
//!
//! Its holder writes it anew, again and again, each time on the condition that it is still as they left it. One who has not
//! managed to for the length of the lease, by its own clock, has lost it and writes nothing more. Others may take it when
//! nobody has renewed it for that long and a margin: by the service's clock, which says both when it was last written and what
//! time it is now, or by watching it that long themselves. No two machines' clocks are ever compared.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reconcile_state::{Holder, Lock, OnLost, OpenOptions, StateError};
use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::bucket::Object;
use crate::layout::Layout;
use crate::sure::{self, PATIENCE, Put};
use crate::{Bucket, BucketError, Condition};

/// The version of the format.
const VERSION: u64 = 1;

/// How much longer than it lasts a lease is left alone. The service tells its times in whole seconds.
const MARGIN: Duration = Duration::from_secs(2);

/// The longest pause between two looks at a lease that somebody has.
const MAX_POLL: Duration = Duration::from_secs(1);

/// What is in the object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    lease: u64,
    /// The opening that wrote it.
    writer: String,
    /// Which of its writes this was.
    write: u64,
    /// How long it lasts from when it was written.
    seconds: u64,
    /// Who has it; absent when nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
}

impl Content {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a lease is plain JSON");
        bytes.push(b'\n');
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|it: &Self| it.lease == VERSION)
    }
}

/// A lease that is held. Dropping it leaves it to expire.
pub(crate) struct Lease {
    shared: Arc<Shared>,
    heartbeat: JoinHandle<()>,
}

struct Shared {
    bucket: Arc<dyn Bucket>,
    key: String,
    /// The state's name, for messages.
    file: String,
    length: Duration,
    writer: String,
    holder: Holder,
    on_lost: Option<OnLost>,
    state: Mutex<State>,
}

struct State {
    etag: String,
    write: u64,
    /// When it expires, by our own clock.
    deadline: Instant,
    lost: Option<String>,
}

/// Somebody else's lease, as it is watched.
struct Watched {
    etag: String,
    since: Instant,
}

impl Lease {
    /// Takes the lease, waiting as long as `options` say, and keeps it.
    ///
    /// # Errors
    ///
    /// When somebody else has it for longer than that, and when it cannot be written.
    pub(crate) async fn take(
        bucket: &Arc<dyn Bucket>,
        layout: &Layout,
        length: Duration,
        options: &OpenOptions,
    ) -> Result<Self, StateError> {
        let (key, file) = (layout.lease(), bucket.name(layout.snapshot()));
        let content = Content {
            lease: VERSION,
            writer: options.writer.clone(),
            write: 0,
            seconds: length.as_secs(),
            holder: Some(options.holder.clone()),
        };
        let began = Instant::now();
        let mut watched: Option<Watched> = None;
        let mut told: Option<Option<Holder>> = None;
        loop {
            let found = sure::get(&**bucket, &key).await?;
            if let Some(theirs) = found.as_ref().and_then(|it| held(it, &mut watched)) {
                let waited = began.elapsed();
                if waited >= options.lock_timeout {
                    let (holder, left) = (theirs.holder.map(Box::new), theirs.left);
                    return Err(StateError::Locked { file, holder, waited, left });
                }
                if let (Some(on_wait), true) =
                    (&options.on_wait, told.as_ref() != Some(&theirs.holder))
                {
                    on_wait(theirs.holder.as_ref());
                    told = Some(theirs.holder);
                }
                let poll = MAX_POLL.min(length / 4).mul_f64(0.75 + fastrand::f64() / 4.0);
                tokio::time::sleep(poll.min(options.lock_timeout - waited)).await;
                continue;
            }
            let condition = Condition::unchanged(found.as_ref().map(|it| it.etag.as_str()));
            let sent = Instant::now();
            let deadline = sent + length;
            let put = sure::put(&**bucket, &key, &content.encode(), &condition, deadline).await?;
            let Put::Done(etag) = put else { continue };
            if condition == Condition::Absent {
                check_conditions(&**bucket, &key, &content, &file).await?;
            }
            let state = Mutex::new(State { etag, write: 0, deadline, lost: None });
            let shared = Arc::new(Shared {
                bucket: Arc::clone(bucket),
                key,
                file,
                length,
                writer: options.writer.clone(),
                holder: options.holder.clone(),
                on_lost: options.on_lost.clone(),
                state,
            });
            let heartbeat = tokio::spawn(keep(Arc::clone(&shared)));
            return Ok(Self { shared, heartbeat });
        }
    }

    /// Fails when the lease is lost, or has run out without anybody noticing.
    pub(crate) fn check(&self) -> Result<(), StateError> {
        self.shared.check()
    }

    /// Returns when it runs out unless it is renewed.
    pub(crate) fn deadline(&self) -> Instant {
        self.shared.state().deadline
    }

    /// Notes that it is lost, for a reason that was found out elsewhere.
    pub(crate) async fn lost_to_somebody(&self) -> StateError {
        let found = sure::get(&*self.shared.bucket, &self.shared.key).await.ok().flatten();
        self.shared.lose(taken_by(found.as_ref(), &self.shared.writer))
    }

    /// Gives it back.
    ///
    /// # Errors
    ///
    /// When it cannot be written. It expires by itself then.
    pub(crate) async fn release(&mut self) -> Result<(), StateError> {
        self.heartbeat.abort();
        // A renewal that was under way is done or dropped after this.
        let _aborted = (&mut self.heartbeat).await.is_err();
        let shared = &self.shared;
        for _ in 0..3 {
            let (etag, content) = {
                let mut state = shared.state();
                if state.lost.is_some() {
                    return Ok(());
                }
                state.write += 1;
                (state.etag.clone(), shared.content(state.write, false))
            };
            let condition = Condition::Matches(etag);
            let deadline = Instant::now() + PATIENCE.min(shared.length);
            let (bucket, body) = (&*shared.bucket, content.encode());
            match sure::put(bucket, &shared.key, &body, &condition, deadline).await? {
                Put::Done(_) => break,
                // A renewal whose answer was dropped has landed.
                Put::Taken(Some(found)) if written_by(&found, &shared.writer) => {
                    shared.state().etag = found.etag;
                }
                // It is somebody else's already.
                Put::Taken(_) => break,
            }
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn content(&self, write: u64, is_held: bool) -> Content {
        Content {
            lease: VERSION,
            writer: self.writer.clone(),
            write,
            seconds: self.length.as_secs(),
            holder: is_held.then(|| self.holder.clone()),
        }
    }

    fn error(&self, reason: &str) -> StateError {
        StateError::Lost { file: self.file.clone(), reason: reason.to_owned() }
    }

    fn check(&self) -> Result<(), StateError> {
        let (lost, deadline) = {
            let state = self.state();
            (state.lost.clone(), state.deadline)
        };
        match lost {
            Some(reason) => Err(self.error(&reason)),
            None if Instant::now() >= deadline => Err(self.lose(format!(
                "it was not renewed for {} s, because the process was stopped or S3 could not be reached",
                self.length.as_secs()
            ))),
            None => Ok(()),
        }
    }

    /// Notes that it is lost, and tells whoever wants to know; the first reason stands.
    fn lose(&self, reason: String) -> StateError {
        let first = {
            let mut state = self.state();
            let is_first = state.lost.is_none();
            let reason = state.lost.get_or_insert(reason).clone();
            (is_first, self.error(&reason))
        };
        if let ((true, error), Some(on_lost)) = (&first, &self.on_lost) {
            on_lost(error);
        }
        first.1
    }

    /// Renews it; `false` when it is lost.
    async fn renew(&self) -> bool {
        if self.check().is_err() {
            return false;
        }
        let (condition, content, deadline) = {
            let mut state = self.state();
            state.write += 1;
            let content = self.content(state.write, true);
            (Condition::Matches(state.etag.clone()), content, state.deadline)
        };
        let (sent, body) = (Instant::now(), content.encode());
        match sure::put(&*self.bucket, &self.key, &body, &condition, deadline).await {
            Ok(Put::Done(etag)) => {
                let mut state = self.state();
                (state.etag, state.deadline) = (etag, sent + self.length);
                true
            }
            Ok(Put::Taken(found)) => {
                self.lose(taken_by(found.as_ref(), &self.writer));
                false
            }
            Err(error) => {
                self.lose(format!("it could not be renewed: {error}"));
                false
            }
        }
    }
}

/// Renews the lease three times in its length, until it is lost.
async fn keep(shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(shared.length / 3).await;
        if !shared.renew().await {
            return;
        }
    }
}

/// Somebody else's lease.
struct Theirs {
    holder: Option<Holder>,
    left: Option<Duration>,
}

/// Returns whose the lease is, if it is somebody's and has not expired.
fn held(found: &Object, watched: &mut Option<Watched>) -> Option<Theirs> {
    let since = match watched {
        Some(watched) if watched.etag == found.etag => watched.since,
        Some(_) | None => {
            let since = Instant::now();
            *watched = Some(Watched { etag: found.etag.clone(), since });
            since
        }
    };
    let Some(content) = Content::decode(&found.bytes) else {
        // Nothing of ours wrote it, so nothing says when it ends.
        return Some(Theirs { holder: None, left: None });
    };
    content.holder.as_ref()?;
    let lasts = Duration::from_secs(content.seconds) + MARGIN;
    let unchanged = since.elapsed().max(found.age.unwrap_or_default());
    (unchanged < lasts).then(|| Theirs { holder: content.holder, left: Some(lasts - unchanged) })
}

fn written_by(found: &Object, writer: &str) -> bool {
    Content::decode(&found.bytes).is_some_and(|content| content.writer == writer)
}

/// Says what became of a lease of `writer`.
fn taken_by(found: Option<&Object>, writer: &str) -> String {
    let content = found.and_then(|found| Content::decode(&found.bytes));
    match content {
        Some(Content { holder: Some(holder), writer: by, .. }) if by != writer => {
            format!("it was taken by {holder}")
        }
        Some(Content { holder: None, .. }) => "somebody has given it back by force".to_owned(),
        Some(_) | None => "somebody has written to the state meanwhile".to_owned(),
    }
}

/// Makes sure, when a lease is made for the first time, that the service knows conditions: one that passes over them would
/// let everybody in.
async fn check_conditions(
    bucket: &dyn Bucket,
    key: &str,
    content: &Content,
    file: &str,
) -> Result<(), StateError> {
    match bucket.put(key, content.encode(), &Condition::Absent).await {
        Ok(_) => Err(StateError::Service {
            action: "lock",
            file: file.to_owned(),
            message: "the service writes over an object although asked not to (`If-None-Match: *`)".to_owned(),
            hint: "Without conditional writes nothing keeps two runs apart. Use Amazon S3, or a service that has them."
                .to_owned(),
        }),
        Err(BucketError::Condition | BucketError::Conflict | BucketError::Unclear { .. }) => Ok(()),
        Err(BucketError::Refused { message, hint }) => {
            Err(StateError::Service { action: "lock", file: file.to_owned(), message, hint })
        }
    }
}

/// Tells who has the lease.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) async fn look(bucket: &dyn Bucket, layout: &Layout) -> Result<Option<Lock>, StateError> {
    let Some(found) = sure::get(bucket, &layout.lease()).await? else { return Ok(None) };
    let theirs = held(&found, &mut None);
    Ok(theirs.map(|Theirs { holder, left }| Lock { holder, token: Some(found.etag), left }))
}

/// Takes the lease away from whoever has it, unless it has changed since it was looked at.
///
/// # Errors
///
/// When it cannot be written.
pub(crate) async fn free(
    bucket: &dyn Bucket,
    layout: &Layout,
    lock: &Lock,
) -> Result<(), StateError> {
    let key = layout.lease();
    // A renewal between looking and here is the same holder's.
    for _ in 0..5 {
        let Some(found) = sure::get(bucket, &key).await? else { return Ok(()) };
        let content = Content::decode(&found.bytes);
        let is_same = content.as_ref().is_none_or(|it| it.holder == lock.holder);
        let (writer, write) =
            content.map_or_else(|| (String::new(), 0), |it| (it.writer, it.write + 1));
        if !is_same {
            return Ok(());
        }
        let free = Content { lease: VERSION, writer, write, seconds: 0, holder: None };
        let condition = Condition::Matches(found.etag);
        let deadline = Instant::now() + PATIENCE;
        if let Put::Done(_) = sure::put(bucket, &key, &free.encode(), &condition, deadline).await? {
            return Ok(());
        }
    }
    Ok(())
}
