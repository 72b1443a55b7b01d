//! What is said of supervisors that could not be submitted: everything once.

use std::time::Duration;

use crate::druid::DruidError;

/// Why supervisors could not be submitted.
pub(super) struct Failure {
    pub is_passing: bool,
    /// What Druid answered, or 0 without an answer.
    status: u16,
    words: String,
}

impl Failure {
    pub fn of(error: &DruidError) -> Self {
        let status = if let DruidError::Refused { status, .. } = error { *status } else { 0 };
        Self { is_passing: error.is_passing(), status, words: error.to_string() }
    }
}

/// What was said while Druid does not have the supervisors.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The status of the last failure that passes.
    away: Option<u16>,
    refusal: String,
}

impl Said {
    /// Says once that Druid is away, again when it is away in another way, and each refusal once.
    pub fn note(&mut self, Failure { is_passing, status, words }: Failure, next_try: Duration) {
        match is_passing {
            true if self.away.replace(status) == Some(status) => {}
            true => tracing::warn!(
                "Druid does not have the supervisors yet, and Kafka keeps the messages until it has ({words})"
            ),
            false if self.refusal == words => {}
            false => {
                tracing::error!(
                    "Druid does not take the supervisors, and is asked again every {} s: {words}",
                    next_try.as_secs()
                );
                self.refusal = words;
            }
        }
    }
}
