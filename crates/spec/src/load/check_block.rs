//! `check` blocks.

use indexmap::IndexMap;
use reconcile_model::{Dependencies, Value};

use super::Loader;
use super::names::{SpecNames, Tables, Where};
use super::sections::{Part, Sections};
use crate::spec::Check;

impl Loader {
    /// Reads the checks. Their data sources are among the blocks.
    pub(super) fn checks(
        &mut self,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
    ) -> IndexMap<String, Check> {
        let mut checks = IndexMap::new();
        for (index, part) in sections.checks.iter().enumerate() {
            let own = sections.blocks.iter().filter(|block| block.check == Some(index));
            let data = own.map(|block| block.address.clone()).collect();
            let check = self.check(index, *part, data, tables);
            checks.insert(check.name.clone(), check);
        }
        checks
    }

    fn check(
        &mut self,
        index: usize,
        (key, body): Part<'_>,
        data: Vec<reconcile_model::ResourceAddress>,
        tables: &Tables<'_>,
    ) -> Check {
        let what = format!("the check `{}`", key.text);
        let fields = self.fields(&what, body, &["data", "assert"]);
        let place = Where { check: Some(index), ..Where::plain("a check") };
        let names = SpecNames { tables, place };
        let assertions = match fields.get("assert") {
            Some((_, yaml)) => self.conditions("an assertion", yaml, &names),
            None => Vec::new(),
        };
        let is_readable = body.map().is_some() || body.scalar() == Some(Value::Null);
        if !fields.contains_key("assert") && is_readable {
            let error = self.error(key.place, format!("The check `{}` asserts nothing", key.text));
            error.hint =
                Some("Give it `assert`, with a `condition` and an `error_message`.".to_owned());
        }
        Check {
            name: key.text.to_string(),
            span: self.files.span(key.place),
            data,
            dependencies: Dependencies::default(),
            assertions,
        }
    }
}
