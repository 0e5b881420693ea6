//! Why an object changes: what the spec says, what was recorded, and what is there, compared.

use reconcile_model::{
    Address, Change, Object, Path, Reason, ResourceAddress, Value,
    plan::{Cause, CauseKind, DriftAnswer, DriftOutcome},
    proposed::{Renewal, changed_paths, propose},
};
use reconcile_spec::Block;

use crate::instance::ignore_changes;
use crate::recorded::Existing;
use crate::world::World;

/// Where what was recorded differs from what is there, and from what will be.
struct Compared {
    drifted: Vec<Path>,
    wanted: Vec<Path>,
}

impl World<'_, '_> {
    /// Adds to a change why each of its attributes differs, and says so for the whole.
    pub(crate) fn explain(
        &self,
        block: &Block,
        config: &Object,
        existing: &Existing<'_>,
        change: &mut Change,
    ) {
        let schema = block.schema;
        let paths = |other: Option<&Object>| {
            other.map(|it| changed_paths(schema, &existing.recorded, it)).unwrap_or_default()
        };
        let compared = Compared {
            drifted: paths(existing.live.as_ref()),
            wanted: paths(change.after.as_ref()),
        };
        change.causes = change
            .changed
            .iter()
            .map(|path| self.cause(block, config, existing, &compared, change, path))
            .collect();
        let drifted = |cause: &Cause| cause.kind == CauseKind::Drift;
        let computed = |cause: &Cause| cause.kind == CauseKind::Computed;
        if change.reason == Reason::SpecChanged
            && change.causes.iter().any(drifted)
            && change.causes.iter().all(|cause| drifted(cause) || computed(cause))
        {
            change.reason = Reason::Drifted;
        }
    }

    /// Adds to the drift of an instance, if it has any, what the spec says of it and what comes of that.
    ///
    /// `said` is what the spec says, before anything in it is ignored.
    pub(crate) fn answer_drift(&mut self, block: &Block, address: &Address, said: &Object) {
        let Some(drift) = self.drift.last().filter(|drift| drift.address == *address) else {
            return;
        };
        let Some(live) = &drift.after else { return };
        let tags = self.default_tags(&block.provider);
        let proposed = |config: &Object| {
            propose(block.schema, config, Some(live), &tags, Renewal::IfForced).after
        };
        let wanted = proposed(said);
        let mut config = said.clone();
        ignore_changes(&block.lifecycle.ignore_changes, &mut config, live);
        let planned = proposed(&config);
        let differs = |one: &Object, other: &Object, path: &Path| {
            changed_paths(block.schema, one, other).iter().any(|it| it.overlaps(path))
        };
        let answers = drift.changed.iter().map(|path| {
            let is_said = said.at(path).is_some_and(|value| !value.is_null());
            let outcome = if !is_said && wanted.at(path).is_some_and(Value::is_unknown)
                || !differs(live, &wanted, path)
            {
                if is_said { DriftOutcome::Agreed } else { DriftOutcome::Left }
            } else if !differs(live, &planned, path) {
                DriftOutcome::Ignored
            } else if !differs(&drift.before, &planned, path) {
                DriftOutcome::Undone
            } else {
                DriftOutcome::Overwritten
            };
            DriftAnswer {
                outcome,
                // As proposed, for there what the schema calls sensitive is marked.
                spec: is_said.then(|| wanted.at(path).cloned()).flatten(),
                span: is_said.then(|| self.scope.span_of(block, path)).flatten(),
            }
        });
        let answers = answers.collect();
        if let Some(drift) = self.drift.last_mut() {
            drift.answers = answers;
        }
    }

    fn cause(
        &self,
        block: &Block,
        config: &Object,
        existing: &Existing<'_>,
        compared: &Compared,
        change: &Change,
        path: &Path,
    ) -> Cause {
        let name = path.attribute().unwrap_or_default();
        let given = match name {
            // `tags_all` is what the spec says in `tags`, and in the provider's default tags.
            "tags_all" => "tags",
            other => other,
        };
        let is_in = |paths: &[Path]| paths.iter().any(|it| it.overlaps(path));
        let drifted = is_in(&compared.drifted);
        let span = block
            .arguments
            .contains(given)
            .then(|| {
                let path = if given == name { path.clone() } else { Path::root(given) };
                self.scope.span_of(block, &path)
            })
            .flatten();
        let kind = if drifted && !is_in(&compared.wanted) {
            CauseKind::Drift
        } else if Self::is_decided_by_aws(config, change, path, given) {
            CauseKind::Computed
        } else {
            let upstream = self.upstream(block, given);
            if upstream.is_empty() { CauseKind::Spec } else { CauseKind::Upstream(upstream) }
        };
        let recorded = existing.recorded.at(path).cloned().unwrap_or_default();
        Cause { kind, span, recorded: drifted.then_some(recorded) }
    }

    /// Returns what changes among the blocks that an argument's value comes from. It is the same for every instance of the
    /// block that is being planned, and so found once.
    fn upstream(&self, block: &Block, argument: &str) -> Vec<ResourceAddress> {
        if let Some(known) = self.upstream.borrow().get(argument) {
            return known.clone();
        }
        let mut found = self.scope.references(block, argument);
        found.retain(|address| self.is_changing(address));
        self.upstream.borrow_mut().insert(argument.to_owned(), found.clone());
        found
    }

    /// Tells whether a difference is that only AWS will tell the value: the spec gives none there.
    fn is_decided_by_aws(config: &Object, change: &Change, path: &Path, given: &str) -> bool {
        let planned = change.after.as_ref().and_then(|after| after.at(path));
        let is_given = match path.0.len() {
            1 => !config.value(given).is_null(),
            _ => config.at(path).is_some_and(|value| !value.is_null()),
        };
        !is_given && planned.is_some_and(|value| !value.is_known())
    }
}
