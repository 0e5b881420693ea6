//! Plans as text, for a terminal.
//!
//! What could cost sleep comes first: what changed behind our back, then what is deleted or replaced, then changes in
//! place, then what is new. Everything is readable without color.

mod reason;

use reconcile_model::{
    Action, Diff, Path, Plan, ReplaceOrder, SchemaSet, Value,
    diff::Node,
    plan::{CauseKind, Change, Drift, PlanMode},
};

use reason::Index;

use crate::{
    Configuration, TextOptions, diagnostic,
    exposure::exposures,
    layout::{self, Shape, View},
    line::{Line, Sign, Tone, piece, render},
    quote::{plain, wrap},
};

/// Returns a plan as text.
///
/// `configuration` tells where values come from that only apply will tell; an empty one is fine.
pub fn plan(
    plan: &Plan,
    schemas: &SchemaSet,
    configuration: &Configuration,
    options: &TextOptions,
) -> String {
    let index = Index::of(plan);
    let cx = Cx { plan, index, schemas, configuration, columns: options.columns() };
    let mut lines = cx.drift();
    lines.extend(cx.changes());
    lines.extend(cx.outputs());
    lines.extend(cx.exposures());
    lines.extend(cx.warnings());
    lines.extend(cx.summary());
    render(&lines, *options)
}

/// Returns the plan's summary: how much it does, or that it does nothing.
pub fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        let what = match plan.options.mode {
            PlanMode::Apply => "is what its spec says",
            PlanMode::Destroy => "has nothing to destroy",
            PlanMode::RefreshOnly if plan.drift.is_empty() => "is as it was recorded",
            PlanMode::RefreshOnly => "is left as it is; apply records how that is",
        };
        return format!("No changes. Stack {} {what}.", plan.stack);
    }
    let counts = plan.counts();
    let mut parts = vec![
        format!("{} to add", counts.create),
        format!("{} to change", counts.update),
        format!("{} to destroy", counts.delete),
        format!("{} to replace", counts.replace),
    ];
    for (count, what) in [(counts.read, "to read"), (counts.forget, "to forget")] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let only_outputs = plan.changes.iter().all(|change| change.action == Action::NoOp);
    let end = if only_outputs { " Only outputs change." } else { "" };
    format!("Plan: {}.{end}", parts.join(", "))
}

/// What all sections look at.
struct Cx<'a> {
    plan: &'a Plan,
    index: Index<'a>,
    schemas: &'a SchemaSet,
    configuration: &'a Configuration,
    columns: usize,
}

/// The groups of changes, in the order of what they do to the reader's sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Destroy,
    Update,
    Create,
    Read,
    Move,
}

impl Group {
    fn of(change: &Change) -> Option<Self> {
        match change.action {
            Action::Replace(_) | Action::Delete => Some(Self::Destroy),
            Action::Update => Some(Self::Update),
            Action::Create => Some(Self::Create),
            Action::Read => Some(Self::Read),
            Action::Forget => Some(Self::Move),
            Action::NoOp => change.previous_address.is_some().then_some(Self::Move),
        }
    }
}

impl<'a> Cx<'a> {
    fn schema(
        &self,
        address: &reconcile_model::Address,
    ) -> Option<&'static reconcile_model::Schema> {
        self.schemas.get(address.resource.mode, address.type_name())
    }

    fn changes(&self) -> Vec<Line> {
        let mut changes: Vec<(Group, &Change)> = self
            .plan
            .changes
            .iter()
            .filter_map(|change| Group::of(change).map(|group| (group, change)))
            .collect();
        // Stable: within a group the plan's own order stays.
        changes.sort_by_key(|(group, _)| *group);
        if changes.is_empty() {
            return Vec::new();
        }
        let mut lines = self.legend();
        for (_, change) in changes {
            lines.extend(self.change(change));
            lines.push(Line::blank());
        }
        lines
    }

    fn legend(&self) -> Vec<Line> {
        let rows = [
            (Action::Replace(ReplaceOrder::DeleteThenCreate), "delete, then create anew"),
            (Action::Replace(ReplaceOrder::CreateThenDelete), "create anew, then delete the old"),
            (Action::Delete, "delete"),
            (Action::Update, "change in place"),
            (Action::Create, "create"),
            (Action::Read, "read during apply"),
            (Action::Forget, "leave alone and forget"),
        ];
        let head = format!("Stack {} would change:", self.plan.stack);
        let mut lines = vec![Line::text(Tone::Strong, head)];
        let used = |action: Action| self.plan.changes.iter().any(|it| it.action == action);
        for (action, text) in rows.into_iter().filter(|(action, _)| used(*action)) {
            lines.push(Line::item(sign(action), 0, vec![piece(Tone::Plain, text)]));
        }
        lines.push(Line::blank());
        lines
    }

    fn change(&self, change: &Change) -> Vec<Line> {
        let schema = self.schema(&change.address);
        let (tone, heading) = reason::heading(change);
        let mut lines = self.comments(tone, [heading]);
        lines.extend(self.comments(Tone::Quiet, reason::reasons(change, schema, &self.index)));
        let shape = match change.action {
            Action::Create | Action::Read => Shape::New,
            Action::Update => Shape::Same,
            Action::Replace(_) => Shape::Replaced,
            Action::Delete => Shape::Gone,
            Action::Forget | Action::NoOp => return lines,
        };
        let origin = Some((self.configuration, &change.address.resource));
        let stated: Vec<&Path> = change
            .changed
            .iter()
            .zip(&change.causes)
            .filter(|(_, cause)| cause.kind != CauseKind::Computed)
            .map(|(path, _)| path)
            .collect();
        let view = View { columns: self.columns, shape, origin, stated: &stated };
        let sign = sign(change.action);
        let head = piece(sign.tone, layout::head(&change.address));
        lines.push(Line::item(sign, 0, vec![head]));
        lines.extend(layout::object(&Diff::of_change(schema, change), 1, view));
        lines.push(Line::item(Sign::NONE, 0, vec![piece(Tone::Plain, "}")]));
        lines
    }

    fn drift(&self) -> Vec<Line> {
        if self.plan.drift.is_empty() {
            return Vec::new();
        }
        let mut lines =
            vec![Line::text(Tone::Strong, "Changed outside of reconcile:"), Line::blank()];
        for drift in &self.plan.drift {
            lines.extend(self.drifted(drift));
            lines.push(Line::blank());
        }
        lines
    }

    fn drifted(&self, drift: &Drift) -> Vec<Line> {
        let id = drift.before.str("id").map(|id| format!(" ({id})")).unwrap_or_default();
        let what = if drift.after.is_some() { "was changed" } else { "was deleted" };
        let heading = plain(&format!("{}{id} {what}", drift.address));
        let mut lines = self.comments(Tone::Strong, [heading]);
        lines.extend(self.comments(Tone::Quiet, reason::consequence(drift, &self.index)));
        if drift.after.is_some() {
            let view =
                View { columns: self.columns, shape: Shape::Same, origin: None, stated: &[] };
            let diff = Diff::of_drift(self.schema(&drift.address), drift);
            let head = piece(Tone::Changed, layout::head(&drift.address));
            lines.push(Line::item(Sign::CHANGED, 0, vec![head]));
            lines.extend(layout::object(&diff, 1, view));
            lines.push(Line::item(Sign::NONE, 0, vec![piece(Tone::Plain, "}")]));
        }
        lines
    }

    fn outputs(&self) -> Vec<Line> {
        let nodes: Vec<Node> = self
            .plan
            .outputs
            .iter()
            .filter(|(_, output)| output.action != Action::NoOp)
            .map(|(name, output)| {
                let mark = |value: &Value| {
                    let hide = output.sensitive && !value.is_null();
                    if hide { value.clone().sensitive() } else { value.clone() }
                };
                Node::of_values(name, &mark(&output.before), &mark(&output.after))
            })
            .collect();
        if nodes.is_empty() {
            return Vec::new();
        }
        let view = View { columns: self.columns, shape: Shape::Same, origin: None, stated: &[] };
        let mut lines = vec![Line::text(Tone::Strong, "Changes to outputs:")];
        lines.extend(layout::values(&nodes, 0, view));
        lines.push(Line::blank());
        lines
    }

    fn exposures(&self) -> Vec<Line> {
        let exposures = exposures(self.plan);
        if exposures.is_empty() {
            return Vec::new();
        }
        let mut lines = vec![Line::text(Tone::Danger, "Newly exposed:")];
        for exposure in exposures {
            let text = plain(&format!("{}: {}", exposure.address, exposure.what));
            for (at, text) in wrap(&text, self.columns - 4).into_iter().enumerate() {
                let lead = if at == 0 { "  ! " } else { "    " };
                lines.push(Line {
                    pieces: vec![piece(Tone::Danger, lead), piece(Tone::Plain, text)],
                    ..Line::blank()
                });
            }
        }
        lines.push(Line::blank());
        lines
    }

    fn warnings(&self) -> Vec<Line> {
        let warnings = self.plan.warnings.iter();
        warnings
            .flat_map(|warning| {
                diagnostic::one(warning, self.columns).into_iter().chain([Line::blank()])
            })
            .collect()
    }

    fn summary(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = wrap(&summary(self.plan), self.columns)
            .into_iter()
            .map(|line| Line::text(Tone::Strong, line))
            .collect();
        if !self.plan.is_empty() {
            let text = format!("Fingerprint: {}", self.plan.fingerprint());
            lines.push(Line::text(Tone::Quiet, text));
        }
        lines
    }

    fn comments(&self, tone: Tone, texts: impl IntoIterator<Item = String>) -> Vec<Line> {
        let room = self.columns - 6;
        texts
            .into_iter()
            .flat_map(|text| wrap(&text, room).into_iter().enumerate())
            .map(|(at, text)| {
                let lead = if at == 0 { "  # " } else { "  #   " };
                Line::text(tone, format!("{lead}{text}"))
            })
            .collect()
    }
}

/// Returns the sign of an action.
fn sign(action: Action) -> Sign {
    let tone = match action {
        Action::NoOp | Action::Forget => Tone::Plain,
        Action::Read => Tone::Notice,
        Action::Create => Tone::Added,
        Action::Update => Tone::Changed,
        Action::Replace(_) => Tone::Danger,
        Action::Delete => Tone::Removed,
    };
    Sign { tone, symbol: action.symbol() }
}
