//! Looking whether the spec's checks hold: reading their own data sources, evaluating their assertions, and trying again
//! as long as a data source says.
//!
//! All checks go on side by side. One loop owns the scope: reads run in the background, and what they found is put into
//! the scope and looked at when it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _};
use futures::stream::{FuturesUnordered, StreamExt as _};
use reconcile_applier::Stop;
use reconcile_model::{
    Action, CheckResult, CheckStatus, Diagnostic, EventKind, Object, Plan, ResourceAddress,
    Severity, Value, seal::mark_like,
};
use reconcile_provider::{Patience, ProviderError};
use reconcile_spec::{Assertion, Check, Instances, Scope};
use tokio::time::Instant;

use crate::pipeline::Engine;
use crate::planning::diagnostic;

/// How long a plan waits for a data source of a check. It looks once, and nothing depends on what it sees.
const GLANCE: Duration = Duration::from_secs(5);

/// How thoroughly checks are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace<'c> {
    /// Once, and not for long; nothing is told on the way. A data source that names one of these blocks in `depends_on`
    /// is not read: what it says will change.
    Glance {
        /// The blocks that the plan changes.
        changing: &'c BTreeSet<ResourceAddress>,
    },
    /// As often as their data sources say.
    Patient,
}

/// What the checks came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// Each check's result, in the order of the spec.
    pub results: Vec<CheckResult>,
    /// Whether it was stopped before all came to their end.
    pub interrupted: bool,
}

/// Returns the blocks with an instance that a plan changes.
pub(crate) fn changing(plan: &Plan) -> BTreeSet<ResourceAddress> {
    let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    changes.map(|change| change.address.resource.clone()).collect()
}

/// Looks at the checks of the spec, or at the one that is named, and returns what they came to.
pub(crate) async fn run<'s>(
    engine: &Engine<'s>,
    scope: &mut Scope<'s>,
    pace: Pace<'_>,
    only: Option<&str>,
) -> Checked {
    let spec = scope.spec();
    let wanted = spec.checks.values().filter(|check| only.is_none_or(|only| only == check.name));
    let going = wanted.map(Going::new).collect();
    let mut run = Run { engine, scope, pace, going, work: FuturesUnordered::new() };
    run.all().await
}

/// One check that is being looked at.
struct Going<'s> {
    check: &'s Check,
    started: Instant,
    /// The attempt that is going on, from one.
    attempt: u32,
    /// What its data sources say about trying again.
    patience: Patience,
    /// The data source that is read next.
    next: usize,
    /// What could not be read in this attempt.
    unread: Vec<Diagnostic>,
    /// What the attempt before came to.
    last: Option<CheckResult>,
    result: Option<CheckResult>,
}

impl<'s> Going<'s> {
    fn new(check: &'s Check) -> Self {
        Self {
            check,
            started: Instant::now(),
            attempt: 1,
            patience: Patience::ONCE,
            next: 0,
            unread: Vec::new(),
            last: None,
            result: None,
        }
    }
}

/// What the background has to say of the check with this index.
enum News {
    /// A data source was read, or not.
    Read(usize, Object, Result<Object, ProviderError>),
    /// It is time for the next attempt.
    Again(usize),
}

struct Run<'r, 's> {
    engine: &'r Engine<'s>,
    scope: &'r mut Scope<'s>,
    pace: Pace<'r>,
    going: Vec<Going<'s>>,
    work: FuturesUnordered<BoxFuture<'static, News>>,
}

impl Run<'_, '_> {
    async fn all(&mut self) -> Checked {
        for index in 0..self.going.len() {
            self.tell(|going| EventKind::CheckStarted { name: going.check.name.clone() }, index);
            self.advance(index);
        }
        let mut stop = self.engine.stop.clone();
        let mut interrupted = false;
        while !self.work.is_empty() {
            tokio::select! {
                Some(news) = self.work.next() => self.take(news),
                Ok(()) = stop.changed() => {
                    if *stop.borrow_and_update() != Stop::No {
                        interrupted = true;
                        self.work.clear();
                    }
                }
            }
        }
        for index in 0..self.going.len() {
            if self.going[index].result.is_none() {
                let stopped = stopped(&self.going[index]);
                self.finish(index, stopped);
            }
        }
        let results = self.going.drain(..).filter_map(|going| going.result).collect();
        Checked { results, interrupted }
    }

    fn tell(&self, event: impl FnOnce(&Going<'_>) -> EventKind, index: usize) {
        match self.pace {
            Pace::Glance { .. } => {}
            Pace::Patient => self.engine.emit(event(&self.going[index])),
        }
    }

    fn take(&mut self, news: News) {
        let index = match news {
            News::Again(index) => index,
            News::Read(index, config, result) => {
                self.read(index, &config, result);
                index
            }
        };
        self.advance(index);
    }

    /// Takes in what a data source said.
    fn read(&mut self, index: usize, config: &Object, result: Result<Object, ProviderError>) {
        let going = &mut self.going[index];
        let address = &going.check.data[going.next];
        going.next += 1;
        let Some(block) = self.scope.spec().blocks.get(address) else { return };
        match result {
            Ok(object) => {
                let object = mark_like(block.schema, &object, config);
                self.scope.set(block, Instances::One(Value::Map(object)));
            }
            Err(mut error) => {
                // What was asked for may be named by a secret.
                if config.values().any(Value::has_sensitive) {
                    error.id = None;
                }
                let problem = diagnostic(&format!("Cannot read {address}"), &error);
                going.unread.push(warning(problem.at(block.span.clone())));
                self.scope.set(block, Instances::One(Value::Unknown));
            }
        }
    }

    /// Starts reading the next data source of a check, or sees what the check comes to when all are read.
    fn advance(&mut self, index: usize) {
        loop {
            let going = &self.going[index];
            let Some(address) = going.check.data.get(going.next) else {
                return self.attempted(index);
            };
            let spec = self.scope.spec();
            let Some(block) = spec.blocks.get(address) else { return };
            let config = match self.scope.configure(block, None) {
                Ok(config) => config,
                Err(problems) => {
                    let problems = problems.into_iter().map(warning).collect();
                    let result = result(going, CheckStatus::Error, problems);
                    return self.finish(index, result);
                }
            };
            let is_early = match self.pace {
                Pace::Glance { changing } => {
                    block.explicit_dependencies(spec).any(|it| changing.contains(it))
                }
                Pace::Patient => false,
            };
            if is_early || !config.is_known() {
                self.scope.set(block, Instances::One(Value::Unknown));
                self.going[index].next += 1;
                continue;
            }
            let provider = self.engine.providers.get(&block.provider);
            let type_name = address.type_name.to_string();
            let plain = config.unmarked();
            let patience = provider.patience(&type_name, &plain);
            let going = &mut self.going[index];
            if patience.attempts > going.patience.attempts {
                going.patience = patience;
            }
            let is_glance = matches!(self.pace, Pace::Glance { .. });
            let work = async move {
                let look = provider.look(&type_name, &plain);
                let result = if is_glance {
                    tokio::time::timeout(GLANCE, look).await.unwrap_or_else(|_| Err(too_slow()))
                } else {
                    look.await
                };
                News::Read(index, config, result)
            };
            self.work.push(work.boxed());
            return;
        }
    }

    /// Sees what an attempt came to, and whether there is to be another.
    fn attempted(&mut self, index: usize) {
        let going = &mut self.going[index];
        let unread = std::mem::take(&mut going.unread);
        let result = if unread.is_empty() {
            let (status, problems) = judge(self.scope.assertions(going.check));
            result(going, status, problems)
        } else {
            result(going, CheckStatus::Error, unread)
        };
        let is_patient = matches!(self.pace, Pace::Patient);
        let may_change = matches!(result.status, CheckStatus::Fail | CheckStatus::Error);
        if !is_patient || !may_change || going.attempt >= going.patience.attempts {
            return self.finish(index, result);
        }
        let problem = result.problems.first().map(words).unwrap_or_default();
        going.last = Some(result);
        going.next = 0;
        let Patience { attempts, interval } = going.patience;
        let attempt = going.attempt;
        going.attempt += 1;
        self.tell(
            |going| EventKind::CheckProgress {
                name: going.check.name.clone(),
                attempt,
                attempts,
                problem,
                elapsed: going.started.elapsed(),
            },
            index,
        );
        self.work.push(
            async move {
                tokio::time::sleep(interval).await;
                News::Again(index)
            }
            .boxed(),
        );
    }

    fn finish(&mut self, index: usize, result: CheckResult) {
        let event = result.clone();
        self.tell(
            |going| EventKind::CheckFinished { result: event, elapsed: going.started.elapsed() },
            index,
        );
        self.going[index].result = Some(result);
    }
}

/// Brings the assertions of a check together: the worst of them counts.
fn judge(assertions: Vec<Assertion>) -> (CheckStatus, Vec<Diagnostic>) {
    let mut found: BTreeMap<CheckStatus, Vec<Diagnostic>> = BTreeMap::new();
    for assertion in assertions {
        let (status, problems) = match assertion {
            Assertion::Holds => continue,
            Assertion::Fails(problem) => (CheckStatus::Fail, vec![problem]),
            Assertion::Unknown(problem) => (CheckStatus::Unknown, vec![problem]),
            Assertion::Broken(problems) => {
                (CheckStatus::Error, problems.into_iter().map(warning).collect())
            }
        };
        found.entry(status).or_default().extend(problems);
    }
    let worst = [CheckStatus::Error, CheckStatus::Fail, CheckStatus::Unknown]
        .into_iter()
        .find(|status| found.contains_key(status));
    (worst.unwrap_or(CheckStatus::Pass), found.into_values().flatten().collect())
}

fn result(going: &Going<'_>, status: CheckStatus, problems: Vec<Diagnostic>) -> CheckResult {
    let span = Some(going.check.span.clone());
    CheckResult { name: going.check.name.clone(), status, problems, span }
}

/// Returns the result of a check whose attempts were stopped: the last of them stands.
fn stopped(going: &Going<'_>) -> CheckResult {
    going.last.clone().unwrap_or_else(|| {
        let problem = Diagnostic::warning("The check was stopped")
            .detail("It was interrupted before it came to anything.")
            .at(going.check.span.clone());
        result(going, CheckStatus::Unknown, vec![problem])
    })
}

fn warning(diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}

/// Returns what is worth telling of a problem on one line.
fn words(problem: &Diagnostic) -> String {
    if problem.detail.is_empty() { problem.summary.clone() } else { problem.detail.clone() }
}

fn too_slow() -> ProviderError {
    let seconds = GLANCE.as_secs();
    ProviderError::new(
        reconcile_provider::ErrorKind::Failed,
        "look",
        format!("there was no answer within {seconds} s, and a plan waits no longer"),
    )
}
