//! Addresses: what we call resources, in Terraform's notation.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Whether a block is managed (`resource`) or only read (`data`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A `resource` block: created, changed, and destroyed by us.
    Managed,
    /// A `data` block: read, never changed.
    Data,
}

/// The key of one instance of a block with `count` or `for_each`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InstanceKey {
    /// The index of an instance made by `count`.
    Index(usize),
    /// The key of an instance made by `for_each`.
    Name(Arc<str>),
}

/// One step into a module: `module.net` or `module.net["a"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The module call's name.
    pub name: Arc<str>,
    /// The instance of the call, when it has `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// The address of a block: `aws_instance.web`, `data.aws_ami.linux`, `module.net.aws_subnet.a`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceAddress {
    /// The modules that lead to the block, outermost first; empty in the root.
    pub module: Vec<ModuleStep>,
    /// Managed or data.
    pub mode: Mode,
    /// The resource type: `aws_instance`.
    pub type_name: Arc<str>,
    /// The block's name: `web`.
    pub name: Arc<str>,
}

/// The address of one instance of a block: `aws_instance.web["a"]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The block.
    pub resource: ResourceAddress,
    /// Which instance of it, when the block has `count` or `for_each`.
    pub key: Option<InstanceKey>,
}

/// A text that is no address.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is not an address: write it as `aws_instance.web`, `aws_instance.web[0]`, `aws_instance.web[\"a\"]`, or `data.aws_ami.linux`"
)]
pub struct ParseAddressError(String);

impl ResourceAddress {
    /// Returns the address of a managed block in the root module.
    pub fn managed(type_name: &str, name: &str) -> Self {
        Self {
            module: Vec::new(),
            mode: Mode::Managed,
            type_name: shared_type_name(type_name),
            name: name.into(),
        }
    }

    /// Returns the address of a data block in the root module.
    pub fn data(type_name: &str, name: &str) -> Self {
        Self { mode: Mode::Data, ..Self::managed(type_name, name) }
    }

    /// Returns the address of one instance of the block.
    pub fn instance(&self, key: Option<InstanceKey>) -> Address {
        Address { resource: self.clone(), key }
    }
}

impl Address {
    /// Returns the address of the only instance of a managed block in the root module.
    pub fn managed(type_name: &str, name: &str) -> Self {
        ResourceAddress::managed(type_name, name).instance(None)
    }

    /// Returns the resource type's name.
    pub fn type_name(&self) -> &str {
        &self.resource.type_name
    }
}

impl fmt::Display for InstanceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Name(name) => {
                f.write_str("[\"")?;
                for c in name.chars() {
                    match c {
                        '"' => f.write_str("\\\"")?,
                        '\\' => f.write_str("\\\\")?,
                        '\n' => f.write_str("\\n")?,
                        other => write!(f, "{other}")?,
                    }
                }
                f.write_str("\"]")
            }
        }
    }
}

impl fmt::Display for ModuleStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module.{}", self.name)?;
        self.key.iter().try_for_each(|key| key.fmt(f))
    }
}

impl fmt::Display for ResourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.module {
            write!(f, "{step}.")?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.type_name, self.name)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resource.fmt(f)?;
        self.key.iter().try_for_each(|key| key.fmt(f))
    }
}

impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| ParseAddressError(text.to_owned()))
    }
}

impl FromStr for ResourceAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match parse(text) {
            Some(Address { resource, key: None }) => Ok(resource),
            Some(Address { key: Some(_), .. }) | None => Err(ParseAddressError(text.to_owned())),
        }
    }
}

/// Returns a type's name, one for all addresses that the thread makes.
///
/// Addresses are compared, hashed, and written all the time. A name of a handful that all share is in the processor's
/// cache; one of a hundred thousand copies hardly ever is.
fn shared_type_name(text: &str) -> Arc<str> {
    thread_local! {
        static SHARED: RefCell<BTreeSet<Arc<str>>> = const { RefCell::new(BTreeSet::new()) };
    }
    SHARED.with_borrow_mut(|shared| {
        if let Some(name) = shared.get(text) {
            return Arc::clone(name);
        }
        let name: Arc<str> = text.into();
        shared.insert(Arc::clone(&name));
        name
    })
}

/// Reads an address; `None` for anything else.
fn parse(text: &str) -> Option<Address> {
    let mut rest = text;
    let mut module = Vec::new();
    let mut first = segment(&mut rest)?;
    while first.0 == "module" && first.1.is_none() {
        let (name, key) = segment(&mut rest)?;
        module.push(ModuleStep { name: name.into(), key });
        first = segment(&mut rest)?;
    }
    let mode = if first.0 == "data" && first.1.is_none() { Mode::Data } else { Mode::Managed };
    if mode == Mode::Data {
        first = segment(&mut rest)?;
    }
    let (type_name, None) = first else { return None };
    let (name, key) = segment(&mut rest)?;
    let type_name = shared_type_name(type_name);
    let resource = ResourceAddress { module, mode, type_name, name: name.into() };
    rest.is_empty().then_some(Address { resource, key })
}

/// Takes one dotted segment with its optional key off the front of `rest`.
fn segment<'a>(rest: &mut &'a str) -> Option<(&'a str, Option<InstanceKey>)> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, tail) = rest.split_at(end);
    let valid = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(valid) || name.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    *rest = tail;
    let mut key = None;
    if let Some(inner) = rest.strip_prefix("[\"") {
        let mut text = String::new();
        let mut chars = inner.char_indices();
        let close = loop {
            match chars.next()? {
                (at, '"') => break at,
                (_, '\\') => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    other => text.push(other),
                },
                (_, other) => text.push(other),
            }
        };
        *rest = inner[close + 1..].strip_prefix(']')?;
        key = Some(InstanceKey::Name(text.into()));
    } else if let Some(inner) = rest.strip_prefix('[') {
        let (digits, tail) = inner.split_once(']')?;
        key = Some(InstanceKey::Index(digits.parse().ok()?));
        *rest = tail;
    }
    if !rest.is_empty() {
        *rest = rest.strip_prefix('.')?;
        // A trailing dot promises a segment that is not there.
        if rest.is_empty() {
            return None;
        }
    }
    Some((name, key))
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for ResourceAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ResourceAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in [
            "aws_instance.web",
            "aws_instance.web[0]",
            r#"aws_instance.web["a.b[1]\"\\"]"#,
            "data.aws_ami.linux",
            r#"module.net["a"].module.inner[2].aws_subnet.a[1]"#,
            "module.net.data.aws_vpc.main",
        ] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "web",
            "aws_instance.",
            ".web",
            "aws_instance.web.",
            "aws_instance.web[",
            "a.b.c",
            "aws_instance.web[x]",
            "aws_instance.web[\"a]",
            "aws_instance[0].web",
            "data.aws_ami",
            "module.net",
            "1a.b",
            "aws instance.web",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn indexes_sort_as_numbers() {
        let at = |n| ResourceAddress::managed("t", "n").instance(Some(InstanceKey::Index(n)));
        assert!(at(9) < at(10));
    }
}
