//! One mutating operation on one object, as it was journaled.

use std::collections::BTreeMap;

use reconcile_model::{Address, tags::Ownership};

/// One mutating operation on one object.
///
/// Everything that a call needs beyond the object's arguments derives from it, so that a call can be made again after a
/// crash just as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The operation's id: random, unique for each attempt, in the journal before any call is made.
    pub id: String,
    /// The stack.
    pub stack: String,
    /// The instance it is for.
    pub address: Address,
}

impl Operation {
    /// Returns the client token for APIs that take one: at most 64 characters of `[a-z0-9-]`.
    ///
    /// `part` tells apart several tokenized calls of one operation, and must name the Availability Zone or subnet for
    /// `RunInstances`, whose idempotency is zonal: the same token in another zone launches a second instance.
    pub fn token(&self, part: &str) -> String {
        // FNV-1a keeps the part short and the token readable; it need not resist anyone.
        let hash = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let id: String = self.id.chars().take(40).collect();
        format!("{id}-{hash:016x}")
    }

    /// Returns a name for an object whose spec gives only a prefix, the same for every attempt to create it:
    /// the prefix and 10 characters of the operation's id, at most `limit` characters in all.
    pub fn name(&self, prefix: &str, limit: usize) -> String {
        let id: String = self.id.chars().filter(char::is_ascii_alphanumeric).collect();
        let suffix: String = id.chars().rev().take(10).collect();
        let prefix: String = prefix.chars().take(limit.saturating_sub(suffix.len())).collect();
        format!("{prefix}{suffix}")
    }

    /// Returns the tags that mark an object as created by this operation.
    pub fn ownership(&self) -> BTreeMap<String, String> {
        Ownership {
            stack: Some(self.stack.clone()),
            address: Some(self.address.to_string()),
            operation: Some(self.id.clone()),
        }
        .tags()
    }

    /// Returns the user's tags together with the ownership tags, as a create call sends them.
    pub fn tags(&self, tags_all: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut all = tags_all;
        all.extend(self.ownership());
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation() -> Operation {
        Operation {
            id: "0192f3c4-5b6d-7e8f-9012-3456789abcde".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_instance", "web"),
        }
    }

    #[test]
    fn tokens_differ_by_part_and_fit() {
        let operation = operation();
        assert_eq!(operation.token("subnet-1"), operation.token("subnet-1"));
        assert_ne!(operation.token("subnet-1"), operation.token("subnet-2"));
        assert!(operation.token("subnet-1").len() <= 64);
    }

    #[test]
    fn names_fit_their_limit() {
        assert_eq!(operation().name("web-", 32), "web-edcba98765");
        assert_eq!(operation().name(&"x".repeat(40), 32).len(), 32);
    }
}
