//! What was wrong with a state and could be made good, for people.

use std::fmt;

use reconcile_model::Diagnostic;

/// Something that was wrong with the files of a state and could be made good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repair {
    /// The end of the journal was never finished, so nobody was told that it was written.
    TornTail {
        /// The journal.
        file: String,
        /// How many bytes were left out.
        bytes: usize,
    },
    /// The snapshot was damaged or gone, and the one before, with its journal, gave it back whole.
    Snapshot {
        /// The snapshot.
        file: String,
        /// What was wrong with it.
        reason: String,
    },
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TornTail { file, bytes } => {
                write!(
                    f,
                    "left out {bytes} bytes at the end of {file} that were never fully written"
                )
            }
            Self::Snapshot { file, .. } => {
                write!(f, "recovered {file} from the state before it and the journal")
            }
        }
    }
}

impl From<&Repair> for Diagnostic {
    fn from(repair: &Repair) -> Self {
        let diagnostic = Self::warning(format!("State repaired: {repair}"));
        match repair {
            Repair::TornTail { .. } => diagnostic.detail(
                "A write was cut short. No call is made before its record is written, so nothing is lost.",
            ),
            Repair::Snapshot { file, reason } => diagnostic
                .detail(format!("It could not be used: {reason}. What is there now is what was written, byte for byte."))
                .hint(format!("The next command that writes keeps the damaged file as {file}.damaged. Check the disk.")),
        }
    }
}
