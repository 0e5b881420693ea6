//! `import` blocks: objects that were made elsewhere, and where they belong.

use std::collections::BTreeMap;

use reconcile_model::{Address, InstanceKey};

use super::Loader;
use super::lifecycle::items;
use super::names::{Repeated, SpecNames, Tables, Where};
use super::sections::Sections;
use crate::place::Place;
use crate::spec::Import;
use crate::suggest::did_you_mean;
use crate::yaml::Yaml;

impl Loader {
    /// Reads the `import` blocks.
    pub(super) fn imports(&mut self, sections: &Sections<'_>, tables: &Tables<'_>) -> Vec<Import> {
        let mut all: Vec<Import> = Vec::new();
        let mut places: BTreeMap<Address, Place> = BTreeMap::new();
        for yaml in sections.imports.iter().flat_map(|yaml| items(yaml)) {
            let Some((import, place)) = self.import(yaml, tables) else { continue };
            if let Some(first) = places.get(&import.to) {
                let first = self.files.span(*first);
                let error =
                    self.error(place, format!("Two objects are imported as `{}`", import.to));
                error.detail = format!("One is at {first} already.");
                error.hint = Some("Remove one of the two blocks.".to_owned());
                continue;
            }
            places.insert(import.to.clone(), place);
            all.push(import);
        }
        all
    }

    fn import(&mut self, yaml: &Yaml, tables: &Tables<'_>) -> Option<(Import, Place)> {
        let fields = self.fields("an `import` block", yaml, &["to", "id"]);
        yaml.map()?;
        for name in ["to", "id"] {
            if !fields.contains_key(name) {
                let error = self.error(yaml.place, format!("An `import` block needs `{name}`"));
                error.hint = Some("Write `{ to: aws_instance.web, id: i-0ab1… }`.".to_owned());
            }
        }
        let names = SpecNames { tables, place: Where::without_blocks("an import") };
        let id = fields.get("id").map(|(_, yaml)| self.node(yaml, &names));
        let (_, to) = fields.get("to")?;
        let address = self.recorded_address(to, "to", tables)?;
        self.has_place(&address, to.place, tables).then_some(())?;
        Some((Import { to: address, id: id?, span: self.files.span(to.place) }, to.place))
    }

    /// Tells whether the spec may have an instance, and what is wrong if it cannot.
    fn has_place(&mut self, address: &Address, place: Place, tables: &Tables<'_>) -> bool {
        let block = &address.resource;
        let Some(head) = tables.blocks.get(block) else {
            let may_compare = tables.may_compare();
            let names = tables.blocks.keys().filter(|_| may_compare).map(ToString::to_string);
            let names: Vec<String> = names.collect();
            let hint = did_you_mean(&block.to_string(), names.iter().map(String::as_str));
            let error = self.error(place, format!("The spec has no `{block}`"));
            error.detail =
                "An object is imported into a block of the spec, which says what it shall be."
                    .to_owned();
            error.hint = hint.or_else(|| {
                Some("Write the block first, with the arguments that the object has.".to_owned())
            });
            return false;
        };
        let (what, hint) = match (head.repeat, &address.key) {
            (Repeated::No, None)
            | (Repeated::Count, Some(InstanceKey::Index(_)))
            | (Repeated::Each, Some(InstanceKey::Name(_))) => return true,
            (Repeated::No, Some(_)) => ("takes no key", format!("Write `{block}`.")),
            (Repeated::Count, _) => ("needs an index", format!("Write `{block}[0]`.")),
            (Repeated::Each, _) => ("needs a key", format!("Write `{block}[\"key\"]`.")),
        };
        self.error(place, format!("`{block}` {what}")).hint = Some(hint);
        false
    }
}
