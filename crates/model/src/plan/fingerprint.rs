//! Fingerprints: what a reviewer approves, in one word that also tells what moved since.
//!
//! A fingerprint is 64 hexadecimal digits. The first 16 are four short digests of what went into the plan: the spec, what
//! was asked for, the state, and what is there. They only help to say what moved. The other 48 are SHA-256, cut to 192
//! bits, over everything the plan says: these are what makes another plan another fingerprint.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::{fmt, io};

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::{Change, Drift, OutputChange, Plan, PlanOptions, PlanStep};
use crate::{Diagnostic, Object, seal};

/// How many digits one part has.
const PART: usize = 4;

/// How many digits there are in all.
const LENGTH: usize = 64;

/// A plan's fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

/// What goes into a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The spec's files.
    Spec,
    /// The options and the variables.
    Request,
    /// The state: its lineage and serial.
    State,
    /// The live objects, as far as they differ from what is recorded.
    Live,
}

impl Input {
    /// All, in the order in which they stand in a fingerprint.
    pub const ALL: [Self; 4] = [Self::Spec, Self::Request, Self::State, Self::Live];
}

impl Fingerprint {
    /// Returns what went into this plan and is not what went into the other. Nothing, for two fingerprints that differ,
    /// means that data sources found something else, that AWS decided something anew, or that another version of the
    /// program planned.
    pub fn moved(&self, other: &Self) -> Vec<Input> {
        let part = |of: &Self, at: usize| of.0[at * PART..(at + 1) * PART].to_owned();
        let parts = Input::ALL.into_iter().enumerate();
        parts.filter(|(at, _)| part(self, *at) != part(other, *at)).map(|(_, it)| it).collect()
    }

    /// Returns it as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has {LENGTH} hexadecimal digits, and this has {0} characters")]
pub struct NoFingerprint(usize);

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Self, NoFingerprint> {
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == LENGTH && text.bytes().all(is_digit) {
            return Ok(Self(text.to_owned()));
        }
        Err(NoFingerprint(text.chars().count()))
    }
}

impl Plan {
    /// Returns the plan's fingerprint, a [`Fingerprint`] as text: what a reviewer approves.
    ///
    /// Checks do not count: what they say changes from one moment to the next, and nothing is done about it.
    ///
    /// Unchanged objects count by their presence in the state's serial alone, and files by their digest, so that the
    /// cost stays that of the changes.
    pub fn fingerprint(&self) -> String {
        let salt = self.salt();
        let outputs = self.outputs.iter();
        let counted = Counted {
            format_version: self.format_version,
            stack: &self.stack,
            lineage: &self.lineage,
            serial: self.serial,
            spec_digest: &self.spec_digest,
            options: &self.options,
            variables: seal::seal_object(&self.variables, salt),
            changes: Changes { all: &self.changes, salt },
            steps: &self.steps,
            outputs: outputs.map(|(name, it)| (name, it.sealed(salt))).collect(),
            drift: self.drift.iter().map(|it| it.sealed(salt)).collect(),
            warnings: &self.warnings,
        };
        // What the spec says of the drift is not there.
        let there: Vec<_> =
            counted.drift.iter().map(|it| (&it.address, &it.deposed, &it.after)).collect();
        let parts = [
            digest(&self.spec_digest),
            digest(&(&self.stack, &self.options, &counted.variables)),
            digest(&(&self.lineage, self.serial)),
            digest(&there),
        ];
        let mut text: String = parts.iter().map(|part| &part[..PART]).collect();
        text.push_str(&digest(&counted)[..LENGTH - parts.len() * PART]);
        text
    }
}

/// What of a plan counts, sealed: all but its checks, and of its changes those that do something.
#[derive(Serialize)]
struct Counted<'p> {
    format_version: u32,
    stack: &'p str,
    lineage: &'p str,
    serial: u64,
    spec_digest: &'p str,
    options: &'p PlanOptions,
    variables: Object,
    changes: Changes<'p>,
    steps: &'p [PlanStep],
    outputs: BTreeMap<&'p String, OutputChange>,
    drift: Vec<Drift>,
    warnings: &'p [Diagnostic],
}

/// The changes of a plan, sealed one by one as they are written: a sealed copy of all would be as large as the plan.
struct Changes<'p> {
    all: &'p [Change],
    salt: &'p str,
}

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counted = self.all.iter().filter(|it| !it.does_nothing());
        serializer.collect_seq(counted.map(|it| it.sealed(self.salt)))
    }
}

/// How many bytes are gathered before they are hashed.
const HASHED_AT_ONCE: usize = 64 * 1024;

/// Returns SHA-256 over the serialized form, in lower-case hexadecimal.
fn digest(of: &impl Serialize) -> String {
    let mut hash = io::BufWriter::with_capacity(HASHED_AT_ONCE, Hash(Sha256::new()));
    serde_json::to_writer(&mut hash, of).expect("a sealed plan has nothing that JSON cannot say");
    let Ok(Hash(hash)) = hash.into_inner() else { unreachable!("hashing cannot fail") };
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes what is written to it.
struct Hash(Sha256);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Drift, PlanMode};
    use crate::{Diagnostic, Object};

    fn plan() -> Plan {
        let json = serde_json::json!({
            "format_version": 1, "stack": "lab", "lineage": "0b9a", "serial": 7,
            "spec_digest": "5e1f", "options": {}, "variables": { "size": 3 },
            "changes": [], "steps": [], "outputs": {}, "drift": [], "warnings": [],
        });
        serde_json::from_value(json).unwrap()
    }

    fn moved(change: impl Fn(&mut Plan)) -> Vec<Input> {
        let mut other = plan();
        change(&mut other);
        let read = |plan: &Plan| plan.fingerprint().parse::<Fingerprint>().unwrap();
        assert_ne!(read(&plan()), read(&other));
        read(&plan()).moved(&read(&other))
    }

    #[test]
    fn it_tells_what_moved() {
        assert_eq!(plan().fingerprint(), plan().fingerprint());
        assert_eq!(moved(|it| it.spec_digest = "5e20".into()), [Input::Spec]);
        assert_eq!(moved(|it| it.options.mode = PlanMode::Destroy), [Input::Request]);
        assert_eq!(moved(|it| it.variables.set("size", 4_i64)), [Input::Request]);
        assert_eq!(moved(|it| it.stack = "lab2".into()), [Input::Request]);
        assert_eq!(moved(|it| it.serial = 8), [Input::State]);
        assert_eq!(moved(|it| it.lineage = "0b9b".into()), [Input::State]);
        let drift = Drift {
            address: "aws_instance.web".parse().unwrap(),
            deposed: None,
            before: Object::new(),
            after: None,
            changed: vec![],
            answers: vec![],
        };
        assert_eq!(moved(|it| it.drift.push(drift.clone())), [Input::Live]);
        // Anything else counts all the same.
        assert_eq!(moved(|it| it.warnings.push(Diagnostic::warning("beware"))), []);
    }

    #[test]
    fn only_fingerprints_are_read() {
        let text = plan().fingerprint();
        assert_eq!(text.parse::<Fingerprint>().unwrap().to_string(), text);
        for wrong in ["", "0123", &text[1..], &text.to_uppercase(), &format!("{text} ")] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
        let error = "0123".parse::<Fingerprint>().unwrap_err().to_string();
        assert_eq!(error, "a fingerprint has 64 hexadecimal digits, and this has 4 characters");
    }
}
