//! Provider configurations.

use indexmap::IndexMap;

use super::Loader;
use super::lifecycle::items;
use super::names::{SpecNames, Tables, Where};
use super::sections::{Sections, is_name};
use crate::spec::ProviderBlock;
use crate::yaml::{Yaml, YamlKey};

/// What a provider configuration takes besides `alias`.
const FIELDS: [&str; 5] = ["alias", "region", "profile", "default_tags", "rate_limit_multiplier"];

/// What Terraform's provider takes for finding credentials, and for where to call.
const ELSEWHERE: [&str; 9] = [
    "access_key",
    "secret_key",
    "token",
    "shared_config_files",
    "shared_credentials_files",
    "assume_role",
    "endpoints",
    "max_retries",
    "allowed_account_ids",
];

impl Loader {
    /// Returns the configurations by key. `aws` is always there.
    pub(super) fn providers(
        &mut self,
        sections: &Sections<'_>,
        tables: &Tables<'_>,
    ) -> IndexMap<String, ProviderBlock> {
        let mut providers = IndexMap::new();
        providers.insert("aws".to_owned(), ProviderBlock { span: None, body: Vec::new() });
        for (key, value) in &sections.providers {
            if &*key.text != "aws" {
                let error = self.error(key.place, format!("There is no provider `{}`", key.text));
                error.detail = "There is `aws`.".to_owned();
                continue;
            }
            for body in items(value) {
                self.provider(key, body, tables, &mut providers);
            }
        }
        providers
    }

    fn provider(
        &mut self,
        key: &YamlKey,
        body: &Yaml,
        tables: &Tables<'_>,
        providers: &mut IndexMap<String, ProviderBlock>,
    ) {
        let members = body.map().unwrap_or_default();
        let elsewhere = members.iter().filter(|(key, _)| ELSEWHERE.contains(&&*key.text));
        for (key, _) in elsewhere {
            let span = self.files.span_of_key(key.place);
            let error = self.error(key.place, format!("A provider takes no `{}`", key.text));
            // What follows it may be a secret.
            error.span = Some(span);
            error.detail = "Credentials and endpoints are found as the AWS CLI finds them: environment, profiles, roles.".to_owned();
            error.hint =
                Some("Set `profile`, or `AWS_PROFILE` and its kin in the environment.".to_owned());
        }
        let fields = self.fields_besides("a provider", body, &FIELDS, &ELSEWHERE);
        let name = match fields.get("alias") {
            None => "aws".to_owned(),
            Some((_, yaml)) => match self.text(yaml, "alias") {
                Some(alias) if is_name(&alias) => format!("aws.{alias}"),
                Some(_) => {
                    self.error(yaml.place, "An alias is a name of letters, digits, `_`, and `-`");
                    return;
                }
                None => return,
            },
        };
        if let Some(first) = providers.get(&name).and_then(|provider| provider.span.clone()) {
            let error =
                self.error(body.place, format!("The provider `{name}` is configured twice"));
            error.detail = format!("It is configured at {first} already.");
            error.hint = Some("Give the second one an `alias`, and say `provider: aws.<alias>` where it is meant.".to_owned());
            return;
        }
        let names = SpecNames { tables, place: Where::without_blocks("a provider") };
        let members =
            members.iter().filter(|(key, _)| FIELDS.contains(&&*key.text) && &*key.text != "alias");
        let body = self.entries(members, &names);
        let span = Some(self.files.span(key.place));
        providers.insert(name, ProviderBlock { span, body });
    }
}
