//! The blocks that something depends on.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ResourceAddress;

/// Blocks that a block or an object depends on, each once, in order.
///
/// Most have one or two, and a hundred thousand objects name theirs in the spec, the plan, the journal, and the state. So
/// they stand in one piece of memory of just their size, which clones share.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Dependencies(Arc<[ResourceAddress]>);

impl Dependencies {
    /// Tells whether a block is among them.
    pub fn contains(&self, block: &ResourceAddress) -> bool {
        self.0.binary_search(block).is_ok()
    }
}

impl Deref for Dependencies {
    type Target = [ResourceAddress];

    fn deref(&self) -> &[ResourceAddress] {
        &self.0
    }
}

impl FromIterator<ResourceAddress> for Dependencies {
    fn from_iter<I: IntoIterator<Item = ResourceAddress>>(blocks: I) -> Self {
        let mut blocks: Vec<_> = blocks.into_iter().collect();
        blocks.sort_unstable();
        blocks.dedup();
        Self(blocks.into())
    }
}

impl<const N: usize> From<[ResourceAddress; N]> for Dependencies {
    fn from(blocks: [ResourceAddress; N]) -> Self {
        blocks.into_iter().collect()
    }
}

impl<'a> IntoIterator for &'a Dependencies {
    type Item = &'a ResourceAddress;
    type IntoIter = std::slice::Iter<'a, ResourceAddress>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Serialize for Dependencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de> Deserialize<'de> for Dependencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_in_order_and_each_once_however_they_come() {
        let [a, b, c] = ["a", "b", "c"].map(|name| ResourceAddress::managed("aws_vpc", name));
        let all = Dependencies::from([b.clone(), a.clone(), b.clone()]);
        assert_eq!(*all, [a.clone(), b.clone()]);
        assert!(all.contains(&a) && all.contains(&b) && !all.contains(&c));

        let written = serde_json::to_string(&all).unwrap();
        assert_eq!(written, r#"["aws_vpc.a","aws_vpc.b"]"#);
        let read = serde_json::from_str(r#"["aws_vpc.b","aws_vpc.a","aws_vpc.a"]"#);
        assert_eq!(all, read.unwrap());
    }
}
