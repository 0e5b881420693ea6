//! Changes made together: where one call can change several objects, those that are ready at the same time share one.
//!
//! Each object has its own operation, its own place in the journal, and its own answer. Only the call is shared. Who
//! comes first waits a moment for others and then makes the call for all of them; while it waits for the rate limit,
//! more may join. A call that the service refuses is made again for each half of those who shared it, and so on, until
//! each has an answer of its own: one bad object spoils nobody else's change.

use std::collections::BTreeMap;
use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::error::Execution;
use crate::{ErrorKind, ProviderError};

/// How long who comes first waits for others.
const GATHER: Duration = Duration::from_millis(15);

type Answer<O> = Result<O, ProviderError>;

/// Where changes of one kind meet: those with the same key can share a call.
#[derive(Debug)]
pub struct Together<K, I, O> {
    /// The most objects that one call takes.
    limit: usize,
    parties: Mutex<BTreeMap<K, Arc<Party<I, O>>>>,
}

/// Those who share a call.
#[derive(Debug)]
struct Party<I, O> {
    members: Mutex<Members<I, O>>,
}

#[derive(Debug)]
struct Members<I, O> {
    items: Vec<I>,
    /// Where the answers go: one fewer than items, since the first member makes the call itself.
    answers: Vec<oneshot::Sender<Answer<O>>>,
    closed: bool,
}

impl<I: Clone, O> Party<I, O> {
    fn new(first: I) -> Self {
        let members = Members { items: vec![first], answers: Vec::new(), closed: false };
        Self { members: Mutex::new(members) }
    }

    /// Adds a member, unless the call is made already or takes no more.
    fn join(&self, item: I, limit: usize) -> Result<oneshot::Receiver<Answer<O>>, I> {
        let mut members = self.members.lock().expect("no panic while the lock is held");
        if members.closed || members.items.len() >= limit {
            return Err(item);
        }
        let (sender, receiver) = oneshot::channel();
        members.items.push(item);
        members.answers.push(sender);
        Ok(receiver)
    }

    fn close(&self) -> Vec<I> {
        let mut members = self.members.lock().expect("no panic while the lock is held");
        members.closed = true;
        members.items.clone()
    }

    fn take_answers(&self) -> Vec<oneshot::Sender<Answer<O>>> {
        let mut members = self.members.lock().expect("no panic while the lock is held");
        members.closed = true;
        std::mem::take(&mut members.answers)
    }
}

/// The objects of a call that is about to be made.
///
/// They are fixed when they are first asked for, which should be when the rate limit lets the call pass.
#[derive(Debug)]
pub struct Items<I, O>(Source<I, O>);

#[derive(Debug)]
enum Source<I, O> {
    Open(Arc<Party<I, O>>),
    Fixed(Vec<I>),
}

impl<I: Clone, O> Items<I, O> {
    /// Returns the objects. From now on nobody joins.
    pub fn get(&self) -> Vec<I> {
        match &self.0 {
            Source::Open(party) => party.close(),
            Source::Fixed(items) => items.clone(),
        }
    }
}

/// Leaves a party when the one who makes the call is done or dropped, so that nobody waits for an answer that will not
/// come.
struct Leaving<'a, K: Ord, I: Clone, O> {
    together: &'a Together<K, I, O>,
    key: &'a K,
    party: &'a Arc<Party<I, O>>,
}

impl<K: Ord, I: Clone, O> Drop for Leaving<'_, K, I, O> {
    fn drop(&mut self) {
        drop(self.party.take_answers());
        let mut parties = self.together.parties.lock().expect("no panic while the lock is held");
        if parties.get(self.key).is_some_and(|party| Arc::ptr_eq(party, self.party)) {
            parties.remove(self.key);
        }
    }
}

impl<K: Ord + Clone, I: Clone, O> Together<K, I, O> {
    /// Returns a place for calls that take `limit` objects.
    pub fn new(limit: usize) -> Self {
        Self { limit, parties: Mutex::new(BTreeMap::new()) }
    }

    /// Makes a change, in one call with whoever makes one of the same key now.
    ///
    /// `call` makes it for some objects and answers for each of them, in order. It should ask for the objects as late
    /// as it can.
    ///
    /// # Errors
    ///
    /// As the call answers: for this object alone when the service refuses, for all when the service did not answer.
    pub async fn change<F, Fut>(
        &self,
        key: K,
        item: I,
        operation: &'static str,
        call: F,
    ) -> Answer<O>
    where
        F: Fn(Items<I, O>) -> Fut,
        Fut: Future<Output = Answer<Vec<O>>>,
    {
        let party = match self.join(&key, item) {
            Ok(party) => party,
            Err(answer) => return answer.await.unwrap_or_else(|_| Err(unanswered(operation))),
        };
        let _leaving = Leaving { together: self, key: &key, party: &party };
        tokio::time::sleep(GATHER).await;
        let first = call(Items(Source::Open(Arc::clone(&party)))).await;
        let items = party.close();
        let mut others: Vec<_> = party.take_answers().into_iter().map(Some).collect();
        let mut own = None;
        let mut deliver = |at: usize, answer: Answer<O>| match at.checked_sub(1) {
            None => own = Some(answer),
            Some(at) => {
                if let Some(sender) = others[at].take() {
                    // Who was dropped meanwhile needs no answer.
                    drop(sender.send(answer));
                }
            }
        };
        let mut answered: Vec<(Range<usize>, Answer<Vec<O>>)> = vec![(0..items.len(), first)];
        while let Some((range, answer)) = answered.pop() {
            match answer {
                Ok(outputs) => {
                    range.zip(outputs).for_each(|(at, output)| deliver(at, Ok(output)));
                }
                Err(error) if range.len() == 1 || !is_refusal(&error) => {
                    range.for_each(|at| deliver(at, Err(error.clone())));
                }
                Err(_) => {
                    let middle = range.start + range.len() / 2;
                    for half in [range.start..middle, middle..range.end] {
                        let part = items[half.clone()].to_vec();
                        answered.push((half, call(Items(Source::Fixed(part))).await));
                    }
                }
            }
        }
        own.unwrap_or_else(|| Err(unanswered(operation)))
    }

    /// Joins those who wait for others, or becomes the first.
    fn join(&self, key: &K, item: I) -> Result<Arc<Party<I, O>>, oneshot::Receiver<Answer<O>>> {
        let mut parties = self.parties.lock().expect("no panic while the lock is held");
        let item = match parties.get(key).map(|party| party.join(item.clone(), self.limit)) {
            Some(Ok(answer)) => return Err(answer),
            Some(Err(item)) => item,
            None => item,
        };
        let party = Arc::new(Party::new(item));
        parties.insert(key.clone(), Arc::clone(&party));
        Ok(party)
    }
}

/// Tells whether the service looked at the call and said no: then it may say yes to a part of it.
fn is_refusal(error: &ProviderError) -> bool {
    error.execution == Execution::NotExecuted
        && !matches!(error.kind, ErrorKind::Throttled | ErrorKind::Transient)
}

/// Returns the error of who shared a call that was given up, or whose answer leaves the object out.
fn unanswered(operation: &'static str) -> ProviderError {
    ProviderError {
        execution: Execution::Unknown,
        ..ProviderError::new(
            ErrorKind::Transient,
            operation,
            "the call was shared with other changes and has no answer for this one",
        )
    }
}

#[cfg(test)]
mod tests {
    use futures::future::join_all;

    use super::*;

    /// A service that refuses 13 and records each call.
    #[derive(Debug)]
    struct Service {
        together: Together<&'static str, u32, u32>,
        calls: Mutex<Vec<Vec<u32>>>,
        wait: Duration,
    }

    impl Service {
        fn new(limit: usize) -> Self {
            let wait = Duration::ZERO;
            Self { together: Together::new(limit), calls: Mutex::new(Vec::new()), wait }
        }

        async fn double(&self, key: &'static str, item: u32) -> Answer<u32> {
            self.together
                .change(key, item, "Double", |items| async move {
                    // As a rate limit would.
                    tokio::time::sleep(self.wait).await;
                    let items = items.get();
                    self.calls.lock().unwrap().push(items.clone());
                    tokio::time::sleep(Duration::from_millis(40)).await;
                    if items.contains(&13) {
                        return Err(ProviderError::new(ErrorKind::Invalid, "Double", "unlucky"));
                    }
                    Ok(items.into_iter().map(|item| item * 2).collect())
                })
                .await
        }

        fn sizes(&self) -> Vec<usize> {
            self.calls.lock().unwrap().iter().map(Vec::len).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_come_together_share_a_call_and_get_their_own_answers() {
        let service = Service::new(100);
        let answers = join_all((20..60).map(|item| service.double("a", item))).await;
        let answers: Vec<u32> = answers.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (20..60).map(|item| item * 2).collect::<Vec<_>>());
        assert_eq!(service.sizes(), [40]);
        assert_eq!(service.double("a", 1).await.unwrap(), 2);
        assert_eq!(service.sizes(), [40, 1]);
        assert!(service.together.parties.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_takes_more_than_the_limit_nor_another_key() {
        let service = Service::new(8);
        let both = ["a", "b"].into_iter().flat_map(|key| (20..30).map(move |item| (key, item)));
        let answers = join_all(both.map(|(key, item)| service.double(key, item))).await;
        assert!(answers.iter().all(Result::is_ok));
        let mut sizes = service.sizes();
        sizes.sort_unstable();
        assert_eq!(sizes, [2, 2, 8, 8]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_bad_object_spoils_nobody_elses_change() {
        let service = Service::new(100);
        let answers = join_all((0..64).map(|item| service.double("a", item))).await;
        for (item, answer) in (0..64).zip(answers) {
            assert_eq!(answer.is_err(), item == 13, "{item}");
        }
        // Each time one half is taken and the other cut in two.
        assert_eq!(service.sizes().len(), 1 + 2 * 6);
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_while_the_call_waits_for_the_rate_limit_still_joins() {
        let service = Service { wait: Duration::from_secs(5), ..Service::new(100) };
        let late = async {
            tokio::time::sleep(Duration::from_secs(4)).await;
            service.double("a", 3).await
        };
        let (first, late) = tokio::join!(service.double("a", 2), late);
        assert_eq!((first.unwrap(), late.unwrap()), (4, 6));
        assert_eq!(service.sizes(), [2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_lost_for_all_and_asked_for_once() {
        let together: Together<(), u32, ()> = Together::new(10);
        let calls = Mutex::new(0);
        let lose = |item| {
            together.change((), item, "Lose", |items| {
                let _items = items.get();
                *calls.lock().unwrap() += 1;
                async { Err::<Vec<()>, _>(unanswered("Lose")) }
            })
        };
        let answers = join_all((0..5).map(lose)).await;
        assert!(answers.iter().all(|it| it.as_ref().unwrap_err().execution == Execution::Unknown));
        assert_eq!(*calls.lock().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_who_is_gone() {
        let service = Service::new(100);
        {
            let mut first = Box::pin(service.double("a", 1));
            assert!(futures::poll!(&mut first).is_pending());
            let mut second = Box::pin(service.double("a", 2));
            assert!(futures::poll!(&mut second).is_pending());
            drop(first);
            assert_eq!(second.await.unwrap_err().execution, Execution::Unknown);
        }
        assert_eq!(service.double("a", 3).await.unwrap(), 6);
        assert_eq!(service.sizes(), [1]);
    }
}
