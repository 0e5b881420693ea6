//! `moved` blocks: what was recorded at one address belongs to another from here on.

mod order;

use std::collections::BTreeMap;

use reconcile_model::{Address, InstanceKey, Mode};

use super::Loader;
use super::lifecycle::items;
use super::names::{Repeated, Tables};
use super::sections::Sections;
use crate::place::Place;
use crate::spec::Moved;
use crate::suggest::did_you_mean;
use crate::yaml::{Yaml, YamlKind};

impl Loader {
    /// Reads the `moved` blocks, in the order in which they are to be followed.
    pub(super) fn moved(&mut self, sections: &Sections<'_>, tables: &Tables<'_>) -> Vec<Moved> {
        let mut all: Vec<Moved> = Vec::new();
        let (mut by_from, mut by_to) = (BTreeMap::new(), BTreeMap::new());
        for yaml in sections.moved.iter().flat_map(|yaml| items(yaml)) {
            let Some((moved, place)) = self.moved_block(yaml, sections, tables) else { continue };
            let from = (moved.from.clone(), moved.is_whole());
            let to = (moved.to.clone(), moved.is_whole());
            match (by_from.get(&from), by_to.get(&to)) {
                (None, None) => {
                    by_from.insert(from, all.len());
                    by_to.insert(to, all.len());
                    all.push(moved);
                }
                // Said twice is said.
                (Some(one), Some(other)) if one == other => {}
                (Some(&other), _) | (None, Some(&other)) => {
                    self.ambiguous(&moved, &all[other], place);
                }
            }
        }
        match order::ordered(&all) {
            Ok(order) => order.into_iter().map(|index| all[index].clone()).collect(),
            Err(circle) => {
                self.circle(&all, &circle);
                Vec::new()
            }
        }
    }

    fn moved_block(
        &mut self,
        yaml: &Yaml,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
    ) -> Option<(Moved, Place)> {
        let fields = self.fields("a `moved` block", yaml, &["from", "to"]);
        yaml.map()?;
        let mut end = |name: &str| match fields.get(name) {
            Some((_, yaml)) => {
                self.recorded_address(yaml, name, tables).map(|address| (address, yaml.place))
            }
            None => {
                let error = self.error(yaml.place, format!("A `moved` block needs `{name}`"));
                error.hint =
                    Some("Write `{ from: aws_instance.old, to: aws_instance.new }`.".to_owned());
                None
            }
        };
        let (from, to) = (end("from"), end("to"));
        let ((from, place), (to, to_place)) = (from?, to?);
        if from == to {
            let error = self.error(to_place, format!("`{from}` is moved to where it is"));
            error.hint = Some("Remove the `moved` block, or correct one of the two.".to_owned());
            return None;
        }
        if from.type_name() != to.type_name() {
            let error = self.error(to_place, format!("`{from}` cannot become `{to}`"));
            error.detail = "An object keeps its type when it moves.".to_owned();
            error.hint = Some(
                "To let go of the one and make the other, write a `removed` block for the one instead."
                    .to_owned(),
            );
            return None;
        }
        let moved = Moved { from, to, span: self.files.span(place) };
        self.still_declared(&moved, place, sections, tables);
        Some((moved, place))
    }

    /// Reads the address of a managed resource or one of its instances, which need not be in the spec.
    pub(super) fn recorded_address(
        &mut self,
        yaml: &Yaml,
        what: &str,
        tables: &Tables<'_>,
    ) -> Option<Address> {
        let YamlKind::Scalar { text, .. } = &yaml.kind else {
            let error = self.error(yaml.place, format!("`{what}` must be an address"));
            error.detail = format!("This is {}.", yaml.kind_name());
            error.hint = Some("Write it as in `aws_instance.web`.".to_owned());
            return None;
        };
        let inner = text.strip_prefix("${").and_then(|inner| inner.strip_suffix('}'));
        let bare = inner.unwrap_or(text).trim();
        if bare.starts_with("module.") {
            let error = self.error(yaml.place, "Modules are not supported yet");
            error.detail =
                "All resources are in one module, so nothing is recorded in another.".to_owned();
            error.hint = Some("Name a resource, as in `aws_instance.web`.".to_owned());
            return None;
        }
        let Ok(address) = bare.parse::<Address>() else {
            let error = self.error(yaml.place, format!("`{what}` must be an address"));
            error.detail = "It names a resource, or one instance of it by a constant key; nothing is evaluated here.".to_owned();
            error.hint = Some(
                "Write it as in `aws_instance.web`, `aws_instance.web[0]`, or `aws_instance.web[\"a\"]`."
                    .to_owned(),
            );
            return None;
        };
        if address.resource.mode == Mode::Data {
            let error = self.error(yaml.place, format!("`{address}` is a data source"));
            error.detail = "It is read anew each time, and nothing is recorded of it.".to_owned();
            error.hint = Some("Rename its block, and that is all.".to_owned());
            return None;
        }
        let type_name = address.type_name();
        if tables.schemas.get(Mode::Managed, type_name).is_none() {
            let names = tables.schemas.all(Mode::Managed).map(|schema| schema.type_name);
            let hint = did_you_mean(type_name, names);
            let error = self.error(yaml.place, format!("There is no resource type `{type_name}`"));
            error.hint = hint;
            return None;
        }
        Some(address)
    }

    /// Tells of a block that moved and still is in the spec. Which instances one with `count` or `for_each` has is known
    /// only when it is planned.
    fn still_declared(
        &mut self,
        moved: &Moved,
        place: Place,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
    ) {
        let Some(head) = tables.blocks.get(&moved.from.resource) else { return };
        let is_there = match (&moved.from.key, head.repeat) {
            (None, Repeated::No) => true,
            (None, Repeated::Count | Repeated::Each) => moved.is_whole(),
            (Some(InstanceKey::Index(_) | InstanceKey::Name(_)), _) => false,
        };
        if !is_there {
            return;
        }
        let declared = sections.blocks.iter().find(|part| part.address == moved.from.resource);
        let declared = declared.map(|part| self.files.span(part.key.place));
        let (from, to) = (&moved.from, &moved.to);
        let error = self.error(place, format!("`{from}` moved, and still is in the spec"));
        error.detail = declared.map_or_else(String::new, |at| format!("It is defined at {at}."));
        error.hint = Some(format!("Rename that block to `{to}`, or remove the `moved` block."));
    }

    fn ambiguous(&mut self, moved: &Moved, other: &Moved, place: Place) {
        let Moved { from, to, .. } = moved;
        let summary = if other.from == *from {
            format!("`{from}` moves to two addresses")
        } else {
            format!("Two resources move to `{to}`")
        };
        let error = self.error(place, summary);
        error.detail =
            format!("At {}, `{}` moves to `{}` already.", other.span, other.from, other.to);
        error.hint = Some("Remove one of the two.".to_owned());
    }

    fn circle(&mut self, all: &[Moved], circle: &[usize]) {
        let moves = circle.iter().map(|&index| &all[index]);
        let told: Vec<String> = moves.map(|it| format!("`{}` to `{}`", it.from, it.to)).collect();
        let mut error = reconcile_model::Diagnostic::error("`moved` blocks make a circle")
            .detail(format!("Each has to be followed before another: {}.", told.join(", ")))
            .hint("Remove one of them; what is to trade places moves by `reconcile state mv`, by way of a third address.");
        error.span = circle.first().map(|&index| all[index].span.clone());
        self.problems.push(error);
    }
}
