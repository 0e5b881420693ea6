//! `removed` blocks: what becomes of the objects of a resource that left the spec.

use indexmap::IndexMap;
use reconcile_model::ResourceAddress;

use super::Loader;
use super::lifecycle::items;
use super::names::Tables;
use super::sections::Sections;
use crate::spec::{Fate, Removed};
use crate::yaml::Yaml;

impl Loader {
    /// Reads the `removed` blocks.
    pub(super) fn removed(
        &mut self,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
    ) -> IndexMap<ResourceAddress, Removed> {
        let mut all: IndexMap<ResourceAddress, Removed> = IndexMap::new();
        for yaml in sections.removed.iter().flat_map(|yaml| items(yaml)) {
            let Some((from, removed, place)) = self.removed_block(yaml, tables) else { continue };
            if let Some(first) = all.get(&from) {
                let first = first.span.to_string();
                let error = self.error(place, format!("`{from}` is removed twice"));
                error.detail = format!("It is removed at {first} already.");
                error.hint = Some("Remove one of the two blocks.".to_owned());
                continue;
            }
            if let Some(part) = sections.blocks.iter().find(|part| part.address == from) {
                let at = self.files.span(part.key.place);
                let error =
                    self.error(place, format!("`{from}` is removed, and still is in the spec"));
                error.detail = format!("It is defined at {at}.");
                error.hint = Some("Remove that block, or the `removed` block.".to_owned());
            }
            all.insert(from, removed);
        }
        all
    }

    fn removed_block(
        &mut self,
        yaml: &Yaml,
        tables: &Tables<'_>,
    ) -> Option<(ResourceAddress, Removed, crate::place::Place)> {
        let fields = self.fields("a `removed` block", yaml, &["from", "lifecycle"]);
        yaml.map()?;
        let fate = match fields.get("lifecycle") {
            Some((_, lifecycle)) => {
                let fields =
                    self.fields("the `lifecycle` of a `removed` block", lifecycle, &["destroy"]);
                match fields.get("destroy") {
                    Some((_, flag)) if !self.flag(flag, "destroy") => Fate::Forgotten,
                    Some(_) | None => Fate::Destroyed,
                }
            }
            None => Fate::Destroyed,
        };
        let Some((_, from)) = fields.get("from") else {
            let error = self.error(yaml.place, "A `removed` block needs `from`");
            error.hint = Some(
                "Write `{ from: aws_instance.old, lifecycle: { destroy: false } }`.".to_owned(),
            );
            return None;
        };
        let address = self.recorded_address(from, "from", tables)?;
        if address.key.is_some() {
            let error = self.error(from.place, "A `removed` block takes whole resources");
            error.detail = "An instance leaves the spec by its `count` or `for_each`.".to_owned();
            error.hint = Some(format!(
                "Leave out the key; or move the instance to an address of its own first, from `{address}`, and remove that."
            ));
            return None;
        }
        let removed = Removed { fate, span: self.files.span(from.place) };
        Some((address.resource, removed, from.place))
    }
}
