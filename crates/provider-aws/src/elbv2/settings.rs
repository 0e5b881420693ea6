//! Settings: what ELBv2 keeps as key-value pairs beside an object, and a spec gives as arguments.
//!
//! Load balancers, target groups, and listeners each have a dozen or more of them, with one call to read and one to
//! modify them all. An object whose spec mentions none of them is not asked for them: an argument left out means
//! "whatever AWS has", is null, and is not looked at. One taken out of the spec is set back to AWS's default, once.
//!
//! Each type declares its settings as a table of [`Setting`]; the algorithms are here.

use std::collections::BTreeMap;

use reconcile_model::{Object, Value};
use reconcile_provider::Target;

/// Settings as ELBv2 has them: value by key.
pub(crate) type Pairs = BTreeMap<String, String>;

/// One setting: which argument it is, which key, and what it is when nobody sets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// The argument's name, after the names of the blocks it is in.
    path: &'static [&'static str],
    key: &'static str,
    form: Form,
    reset: Reset,
    /// The setting exists only while the one with this key, earlier in the table, has this value.
    when: Option<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Flag,
    Number,
    Text,
}

/// What a setting goes back to when it is taken out of the spec.
#[derive(Clone, Copy, Debug)]
enum Reset {
    To(&'static str),
    By(fn(&Object) -> &'static str),
    Keep,
}

impl Setting {
    const fn new(path: &'static [&'static str], key: &'static str, form: Form) -> Self {
        Self { path, key, form, reset: Reset::Keep, when: None }
    }

    /// Returns a setting that is `true` or `false`.
    pub(crate) const fn flag(path: &'static [&'static str], key: &'static str) -> Self {
        Self::new(path, key, Form::Flag)
    }

    /// Returns a setting that is a whole number.
    pub(crate) const fn number(path: &'static [&'static str], key: &'static str) -> Self {
        Self::new(path, key, Form::Number)
    }

    /// Returns a setting that is text.
    pub(crate) const fn text(path: &'static [&'static str], key: &'static str) -> Self {
        Self::new(path, key, Form::Text)
    }

    /// Sets AWS's default.
    pub(crate) const fn or(mut self, default: &'static str) -> Self {
        self.reset = Reset::To(default);
        self
    }

    /// Sets AWS's default where it depends on the object.
    pub(crate) const fn or_by(mut self, default: fn(&Object) -> &'static str) -> Self {
        self.reset = Reset::By(default);
        self
    }

    /// Makes the setting exist only while the one with this key has this value.
    pub(crate) const fn when(mut self, key: &'static str, value: &'static str) -> Self {
        self.when = Some((key, value));
        self
    }

    fn applies(&self, pairs: &Pairs) -> bool {
        self.when.is_none_or(|(key, value)| pairs.get(key).is_some_and(|it| it == value))
    }

    /// Tells whether the setting is as if nobody had set it.
    fn is_default(&self, told: &Pairs, object: &Object) -> bool {
        let default = match self.reset {
            Reset::To(default) => default,
            Reset::By(default) => default(object),
            Reset::Keep => return true,
        };
        told.get(self.key).is_none_or(|it| it == default) || !self.applies(told)
    }

    fn value(&self, text: &str) -> Value {
        match self.form {
            Form::Flag => text.parse::<bool>().ok().into(),
            Form::Number => text.parse::<i64>().ok().into(),
            Form::Text => text.into(),
        }
    }
}

/// Returns the settings that an object gives.
pub(crate) fn pairs(settings: &[Setting], object: &Object) -> Pairs {
    let mut pairs = Pairs::new();
    for setting in settings {
        let text = at(object, setting.path).and_then(text);
        if let Some(text) = text.filter(|_| setting.applies(&pairs)) {
            pairs.insert(setting.key.to_owned(), text);
        }
    }
    pairs
}

/// Returns the settings to modify so that `live` becomes `planned`; empty when there is nothing to do.
pub(crate) fn changes(settings: &[Setting], live: &Object, planned: &Object) -> Pairs {
    let before = pairs(settings, live);
    let after = pairs(settings, planned);
    let mut changes = Pairs::new();
    for setting in settings {
        let value = match (before.get(setting.key), after.get(setting.key)) {
            (before, Some(after)) if before == Some(after) => continue,
            (_, Some(after)) => after.clone(),
            (None, None) => continue,
            (Some(before), None) => {
                let unknown = at(planned, setting.path).is_some_and(Value::is_unknown);
                let default = match setting.reset {
                    Reset::To(default) => default,
                    Reset::By(default) => default(planned),
                    Reset::Keep => continue,
                };
                if unknown || !setting.applies(&after) || before == default {
                    continue;
                }
                default.to_owned()
            }
        };
        changes.insert(setting.key.to_owned(), value);
    }
    changes
}

/// Tells whether any setting of an object has to be read.
pub(crate) fn matter(settings: &[Setting], target: &Target<'_>) -> bool {
    settings.iter().any(|setting| matters(target, setting.path[0]))
}

/// Tells whether an argument has to be read: the spec gives it, or a value of it is recorded.
pub(crate) fn matters(target: &Target<'_>, name: &str) -> bool {
    !is_nothing(target.recorded.value(name)) || target.arguments.contains(name)
}

/// Tells whether a value says nothing; no blocks are no value.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.is_unknown() || value.as_list().is_some_and(<[Value]>::is_empty)
}

/// Sets, on an object that was read, the settings that matter.
///
/// A default that nobody is known to have set is read as null: the spec may give the argument as an expression that
/// comes out null, which means just that.
pub(crate) fn set(settings: &[Setting], told: &Pairs, target: &Target<'_>, object: &mut Object) {
    let mut names: Vec<&str> = settings.iter().map(|setting| setting.path[0]).collect();
    names.dedup();
    for name in names.into_iter().filter(|name| matters(target, name)) {
        let of: Vec<&Setting> = settings.iter().filter(|it| it.path[0] == name).collect();
        let is_unset = is_nothing(target.recorded.value(name))
            && of.iter().all(|setting| setting.is_default(told, target.recorded));
        let value =
            if is_unset { Value::Null } else { member(&of, 0, told, Some(target.recorded)) };
        object.set(name, value);
    }
}

/// Sets every setting on an object; blocks are there whether they say something or not.
pub(crate) fn set_all(settings: &[Setting], told: &Pairs, object: &mut Object) {
    let mut names: Vec<&str> = settings.iter().map(|setting| setting.path[0]).collect();
    names.dedup();
    for name in names {
        let of: Vec<&Setting> = settings.iter().filter(|it| it.path[0] == name).collect();
        object.set(name, member(&of, 0, told, None));
    }
}

/// Returns the value of the member that `settings` share at `depth` of their paths.
///
/// What AWS does not tell, because it does not apply at present, stays as it is recorded.
fn member(settings: &[&Setting], depth: usize, told: &Pairs, recorded: Option<&Object>) -> Value {
    let Some(first) = settings.first() else { return Value::Null };
    let name = first.path[depth];
    if first.path.len() == depth + 1 {
        return match settings.iter().find(|setting| setting.applies(told)) {
            Some(setting) => told.get(setting.key).map_or(Value::Null, |it| setting.value(it)),
            None => recorded
                .map(|recorded| recorded.value(name))
                .filter(|value| value.is_known())
                .cloned()
                .unwrap_or_default(),
        };
    }
    let block = recorded.and_then(|recorded| recorded.block(name));
    if depth > 0 && recorded.is_some() && block.is_none() {
        return Value::List(Vec::new());
    }
    let mut inner = Object::new();
    for setting in settings {
        let name = setting.path[depth + 1];
        if !inner.contains_key(name) {
            let of: Vec<&Setting> =
                settings.iter().filter(|it| it.path[depth + 1] == name).copied().collect();
            inner.set(name, member(&of, depth + 1, told, block));
        }
    }
    vec![inner].into()
}

fn at<'a>(object: &'a Object, path: &[&str]) -> Option<&'a Value> {
    let (name, blocks) = path.split_last()?;
    let mut object = object;
    for block in blocks {
        object = object.block(block)?;
    }
    Some(object.value(name))
}

fn text(value: &Value) -> Option<String> {
    match value.bare() {
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Null
        | Value::Unknown
        | Value::List(_)
        | Value::Map(_)
        | Value::Sensitive(_)
        | Value::Sealed(_) => None,
    }
}

/// Brings the empty text, with which ELBv2 answers for a setting that is not set, to null.
pub(crate) fn empty_is_null(value: &Value) -> Value {
    if value.as_str() == Some("") { Value::Null } else { value.clone() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use reconcile_model::ObjectId;

    use super::*;

    const SETTINGS: &[Setting] = &[
        Setting::number(&["idle_timeout"], "idle").or("60"),
        Setting::flag(&["stickiness", "enabled"], "sticky").or("false"),
        Setting::text(&["stickiness", "type"], "sticky.type"),
        Setting::number(&["stickiness", "duration"], "lb.duration").when("sticky.type", "lb"),
        Setting::number(&["stickiness", "duration"], "app.duration").when("sticky.type", "app"),
        Setting::text(&["health", "dns", "count"], "dns.count").or("1"),
        Setting::text(&["health", "route", "count"], "route.count").or("1"),
    ];

    fn sticky(kind: &str) -> Object {
        let block = Object::new().with("enabled", true).with("type", kind).with("duration", 90);
        Object::new().with("stickiness", vec![block])
    }

    fn map(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn read(recorded: &Object, told: &[(&str, &str)]) -> Object {
        let (id, arguments) = (ObjectId::from("arn"), BTreeSet::new());
        let target = Target { id: &id, recorded, arguments: &arguments };
        let mut object = Object::new();
        set(SETTINGS, &map(told), &target, &mut object);
        object
    }

    #[test]
    fn only_what_differs_is_modified() {
        let live = sticky("lb").with("idle_timeout", 60);
        assert_eq!(changes(SETTINGS, &live, &live), Pairs::new());
        let planned = sticky("app").with("idle_timeout", 60);
        let wanted = map(&[("sticky.type", "app"), ("app.duration", "90")]);
        assert_eq!(changes(SETTINGS, &live, &planned), wanted);
        let unknown = sticky("lb").with("idle_timeout", Value::Unknown);
        assert_eq!(changes(SETTINGS, &live, &unknown), Pairs::new());
    }

    #[test]
    fn what_is_taken_out_goes_back_to_the_default() {
        let live = sticky("lb").with("idle_timeout", 120);
        let wanted = map(&[("idle", "60"), ("sticky", "false")]);
        assert_eq!(changes(SETTINGS, &live, &Object::new()), wanted);
    }

    #[test]
    fn only_what_matters_is_read() {
        let told = [("idle", "60"), ("sticky", "false"), ("sticky.type", "lb"), ("dns.count", "2")];
        let none = Object::new().with("stickiness", Value::List(vec![]));
        assert_eq!(read(&none, &told), Object::new());
        let dns = Object::new().with("dns", vec![Object::new().with("count", "1")]);
        let object = read(&Object::new().with("health", vec![dns]), &told);
        let health = object.block("health").unwrap();
        assert_eq!(health.block("dns").unwrap().str("count"), Some("2"));
        assert_eq!(health.value("route"), &Value::List(vec![]));
        assert!(!object.contains_key("idle_timeout"));
    }

    #[test]
    fn an_argument_that_comes_out_null_means_the_default() {
        let id = ObjectId::from("arn");
        let arguments = ["idle_timeout".to_owned(), "stickiness".to_owned()].into();
        let recorded = Object::new().with("idle_timeout", Value::Null);
        let target = Target { id: &id, recorded: &recorded, arguments: &arguments };
        let read = |told: &[(&str, &str)]| {
            let mut object = Object::new();
            set(SETTINGS, &map(told), &target, &mut object);
            object
        };
        let object = read(&[("idle", "60"), ("sticky", "false"), ("sticky.type", "lb")]);
        assert!(object.value("idle_timeout").is_null() && object.value("stickiness").is_null());
        let object = read(&[("idle", "90"), ("sticky", "true"), ("sticky.type", "lb")]);
        assert_eq!(object.i64("idle_timeout"), Some(90));
        assert_eq!(object.block("stickiness").unwrap().bool("enabled"), Some(true));
    }

    #[test]
    fn what_does_not_apply_stays_as_recorded() {
        let told = [("sticky", "true"), ("sticky.type", "source_ip")];
        let object = read(&sticky("lb"), &told);
        let block = object.block("stickiness").unwrap();
        assert_eq!((block.str("type"), block.i64("duration")), (Some("source_ip"), Some(90)));
    }
}
