//! Paths to a value inside an object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// An element of a list or set, counted from zero.
    Index(usize),
    /// A member of an object or map.
    Name(String),
}

/// The place of a value inside an object, as `ingress[0].cidr_blocks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// Returns the path of a top-level attribute.
    pub fn root(name: &str) -> Self {
        Self(vec![Step::Name(name.to_owned())])
    }

    /// Returns this path extended by a member's name.
    #[must_use]
    pub fn name(&self, name: &str) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Name(name.to_owned()));
        Self(steps)
    }

    /// Returns this path extended by an index.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut steps = self.0.clone();
        steps.push(Step::Index(index));
        Self(steps)
    }

    /// Tells whether one of two paths leads to, or through, the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a == b)
    }

    /// Returns the top-level attribute that the path leads into, if it is not empty.
    pub fn attribute(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Name(name)) => Some(name),
            Some(Step::Index(_)) | None => None,
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Name(name) if position == 0 => f.write_str(name)?,
                Step::Name(name)
                    if name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') =>
                {
                    write!(f, ".{name}")?;
                }
                Step::Name(name) => write!(f, "[{name:?}]")?,
            }
        }
        Ok(())
    }
}
