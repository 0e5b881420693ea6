//! How a schema's facts are said in words.

use std::time::Duration;

use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Blocks, Check, Constraint, Literal, Nesting, OnChange, Recovery};
use reconcile_model::{Attribute, Kind, Mode, Presence, Schema, SchemaSet};

/// Returns a kind in a few words.
pub(super) fn kind(kind: &Kind) -> String {
    match kind {
        Kind::String => "string".to_owned(),
        Kind::Int => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::List(item) => format!("list of {}", plural(item)),
        Kind::Set(item) => format!("set of {}", plural(item)),
        Kind::Map(item) => format!("map of {}", plural(item)),
        Kind::Blocks(Blocks { max: Some(1), .. }) => "block".to_owned(),
        Kind::Blocks(Blocks { nesting: Nesting::List, .. }) => "blocks, in order".to_owned(),
        Kind::Blocks(Blocks { nesting: Nesting::Set, .. }) => "blocks".to_owned(),
    }
}

fn plural(kind: &Kind) -> String {
    match kind {
        Kind::String => "strings".to_owned(),
        Kind::Int => "whole numbers".to_owned(),
        Kind::Number => "numbers".to_owned(),
        Kind::Bool => "bools".to_owned(),
        Kind::List(item) => format!("lists of {}", plural(item)),
        Kind::Set(item) => format!("sets of {}", plural(item)),
        Kind::Map(item) => format!("maps of {}", plural(item)),
        Kind::Blocks(_) => "blocks".to_owned(),
    }
}

/// Says who gives the value.
pub(super) fn presence(attribute: &Attribute, mode: Mode) -> String {
    match (attribute.presence, attribute.default) {
        // What a data source was not asked for, it tells.
        (Presence::OptionalComputed, _) if mode == Mode::Data => "optional".to_owned(),
        (Presence::Required, _) => "**required**".to_owned(),
        (Presence::Optional, Some(default)) => format!("default {}", literal(default)),
        (Presence::Optional, None) => "optional".to_owned(),
        (Presence::OptionalComputed, _) => "optional, else AWS decides".to_owned(),
        (Presence::Computed, _) => "read only".to_owned(),
    }
}

fn literal(literal: Literal) -> String {
    match literal {
        Literal::Bool(flag) => format!("`{flag}`"),
        Literal::Int(number) => format!("`{number}`"),
        Literal::String("") => "`\"\"`".to_owned(),
        Literal::String(text) => format!("`{text}`"),
    }
}

/// Says what a change costs.
pub(super) fn on_change(attribute: &Attribute) -> &'static str {
    let costs = |nested: &Attribute| !matches!(nested.on_change, OnChange::Update);
    match attribute.on_change {
        OnChange::Update if attribute.nested().iter().any(costs) => "by what changes in it",
        OnChange::Update => "in place",
        OnChange::Restart => "in place, with the instance stopped",
        OnChange::Replace => "**replaces**",
        OnChange::ReplaceIf(_) => "in place, or **replaces**, by the values",
        OnChange::ReplaceIfElseRestart(_) => {
            "with the instance stopped, or **replaces**, by the values"
        }
    }
}

/// Returns everything that there is to say of an attribute beyond its kind and presence, in whole sentences.
pub(super) fn meaning(attribute: &Attribute, mode: Mode, schemas: &SchemaSet) -> String {
    let mut parts = vec![attribute.doc.to_owned()];
    if attribute.is_argument() {
        let is_one = !matches!(attribute.kind, Kind::List(_) | Kind::Set(_) | Kind::Map(_));
        parts.extend(
            check(&attribute.check)
                .map(|check| if is_one { check } else { format!("Each {}", lower(&check)) }),
        );
        if let Kind::Blocks(blocks) = attribute.kind {
            parts.extend(times(blocks, attribute.presence));
        }
        parts.extend(normalize(attribute.normalize).map(str::to_owned));
    }
    if attribute.sensitive {
        parts.push("Sensitive: no output shows it.".to_owned());
    }
    if attribute.write_only {
        parts.push("AWS never tells it, so drift of it is not seen.".to_owned());
    }
    if attribute.local {
        parts.push("An instruction to `reconcile`: AWS does not know it.".to_owned());
    }
    if attribute.is_argument()
        && let Some((type_name, name)) = attribute.refers_to
        && let Some(source) = source(mode, type_name, name, schemas)
    {
        parts.push(source);
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

/// Says where a value usually comes from, with a link to its page.
fn source(mode: Mode, type_name: &str, name: &str, schemas: &SchemaSet) -> Option<String> {
    let found = [Mode::Managed, Mode::Data].into_iter().find(|mode| {
        schemas.get(*mode, type_name).is_some_and(|it| it.attribute(name).is_some())
    })?;
    let path = if found == mode {
        format!("{type_name}.md")
    } else {
        format!("../{}/{type_name}.md", super::folder(found))
    };
    Some(format!("Usually `{name}` of [`{type_name}`]({path})."))
}

fn check(check: &Check) -> Option<String> {
    Some(match check {
        // What a rule accepts, the attribute's own line says.
        Check::Any | Check::Rule(_) => return None,
        Check::OneOf([one]) => format!("Only `{one}`."),
        Check::OneOf(values) => {
            let all: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            format!("One of {}.", all.join(", "))
        }
        Check::Range(low, high) => format!("From {low} to {high}."),
        Check::Length(least, most) if least == most => format!("{least} characters."),
        Check::Length(least, most) => format!("{least} to {most} characters."),
        Check::Cidr => "A range in CIDR notation.".to_owned(),
        Check::Cidr4 => "An IPv4 range in CIDR notation.".to_owned(),
        Check::Cidr6 => "An IPv6 range in CIDR notation.".to_owned(),
        Check::Ip => "An IP address.".to_owned(),
    })
}

fn times(blocks: &Blocks, presence: Presence) -> Option<String> {
    let least = if presence == Presence::Required { blocks.min.max(1) } else { blocks.min };
    match (least, blocks.max) {
        (_, Some(1)) | (0 | 1, None) => None,
        (0, Some(most)) => Some(format!("At most {most}.")),
        (least, Some(most)) => Some(format!("{least} to {most}.")),
        (least, None) => Some(format!("At least {least}.")),
    }
}

fn normalize(normalize: Normalize) -> Option<&'static str> {
    match normalize {
        Normalize::None | Normalize::Rule(_) | Normalize::Cidr => None,
        Normalize::Base64 => Some("Compared by the bytes it stands for."),
        Normalize::Protocol => Some("`6` means `tcp`, `17` `udp`, and `all` `-1`."),
        Normalize::PublicKey => Some("Compared without its comment."),
        Normalize::Json => Some("Compared by what the JSON means."),
        Normalize::Lowercase => Some("Compared without regard to case."),
    }
}

/// Says a rule between attributes; `None` for rules that are code.
pub(super) fn constraint(constraint: &Constraint) -> Option<String> {
    Some(match constraint {
        Constraint::Conflicts(names) => format!("{} exclude each other.", list(names)),
        Constraint::ExactlyOne(names) => format!("Exactly one of {} is needed.", list(names)),
        Constraint::AtLeastOne(names) => format!("One of {} is needed.", list(names)),
        Constraint::Requires(name, names) => format!("`{name}` needs {} beside it.", list(names)),
        Constraint::Rule(_) => return None,
    })
}

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one} and {two}"),
        [rest @ .., last] => format!("{}, and {last}", rest.join(", ")),
    }
}

/// Says how an interrupted create is found again.
pub(super) fn recovery(schema: &Schema) -> Option<String> {
    Some(match schema.recovery {
        Recovery::ClientToken => {
            "By a client token, which is in the journal before the call is made: the call made again with it gives the \
             same object, and not a second one."
                .to_owned()
        }
        Recovery::NaturalKey(names) => {
            let together = if names.len() > 1 { " together" } else { "" };
            let key = format!("{}{together}, which can exist once only", list(names));
            let owner = if schema.is_taggable() {
                " Its ownership tags say whether it is the one: an object of somebody else's is an error that names it."
            } else {
                ""
            };
            format!("By {key}.{owner}")
        }
        Recovery::OperationTag => {
            "By its tag `reconcile:operation`, which the create call itself puts on it.".to_owned()
        }
        Recovery::None => return None,
    })
}

/// Returns a sentence as it goes on after a colon.
pub(super) fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Says how long something may take.
pub(super) fn duration(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 3600 == 0 => format!("`{}h`", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("`{}m`", seconds / 60),
        seconds => format!("`{seconds}s`"),
    }
}
