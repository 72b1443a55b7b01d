//! How the process ends, and the usage errors that clap cannot see.

use clap::error::ErrorKind;

use crate::pipeline::ReplayError;

/// How the process ends. The first that applies, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// An error: nothing was replayed, or the replay could not go on.
    Error = 1,
    /// The command line could not be understood.
    Usage = 2,
    /// The ledger does not add up, tweets failed, or it is unknown whether it adds up.
    Unbalanced = 3,
    /// Everything is accounted for, and a threshold of `--fail-if` was crossed.
    Threshold = 4,
    /// find-max: the generator, Kafka or the input was the limit, and not Druid.
    GeneratorLimited = 5,
    /// find-max: a rate was held, and every rollover breaks a limit.
    BreaksAtRollovers = 6,
    /// find-max: Druid's capacity changed while it was measured.
    NotStable = 7,
    /// find-max: no rate was held, or the budget was over.
    Undecided = 8,
    /// Stopped by Ctrl-C or SIGTERM; what was sent has been accounted for.
    Interrupted = 130,
    /// Everything is accounted for.
    Balanced = 0,
}

/// Flags that do not go together, or a value that cannot be: said as clap says it, with exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(super) struct UsageError {
    /// What kind it is of clap's.
    pub kind: ErrorKind,
    /// What is wrong, and what to type.
    pub words: String,
}

impl UsageError {
    /// Two flags that do not go together.
    pub fn conflict(words: impl Into<String>) -> Self {
        Self { kind: ErrorKind::ArgumentConflict, words: words.into() }
    }

    /// A value that cannot be.
    pub fn value(words: impl Into<String>) -> Self {
        Self { kind: ErrorKind::ValueValidation, words: words.into() }
    }
}

/// The usage error in an error, wherever it was found.
pub(super) fn usage(error: anyhow::Error) -> Result<UsageError, anyhow::Error> {
    match error.downcast::<ReplayError>() {
        Ok(ReplayError::Usage(words)) => Ok(UsageError::value(words)),
        Ok(other) => Err(other.into()),
        Err(error) => error.downcast(),
    }
}

/// Refuses the first flag that is given where it would be ignored. `why` ends the sentence that begins with it.
pub(super) fn no_effect(flags: &[(&str, bool)], why: &str) -> Result<(), UsageError> {
    match flags.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(UsageError::conflict(format!("{flag} has no effect {why}"))),
        None => Ok(()),
    }
}
