//! Asks clients for their password, where one is needed.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::super::codec::{Connect, Reason};
use super::super::users::MqttUsers;

/// Who may come in.
pub(super) struct Door {
    /// `None`: everybody.
    users: Option<&'static MqttUsers>,
    /// One password is compared at a time: each takes 19 MiB and tens of milliseconds.
    comparing: Semaphore,
    is_refusal_said: AtomicBool,
}

impl Door {
    pub fn new(users: Option<&'static MqttUsers>) -> Self {
        Self { users, comparing: Semaphore::new(1), is_refusal_said: AtomicBool::new(false) }
    }

    /// Lets a client in, or says why not.
    pub async fn check(&self, connect: &Connect<'_>) -> Result<(), Reason> {
        let Some(users) = self.users else { return Ok(()) };
        let reason = match (connect.user, connect.password) {
            (Some(user), Some(password)) => {
                let Ok(_turn) = self.comparing.acquire().await else { return Err(Reason::BUSY) };
                let (user, password) = (user.to_owned(), password.to_owned());
                match spawn_blocking(move || users.has(&user, &password)).await {
                    Ok(true) => return Ok(()),
                    Ok(false) | Err(_) => Reason::BAD_LOGIN,
                }
            }
            _ => Reason::NOT_AUTHORIZED,
        };
        if !self.is_refusal_said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "an MQTT client was refused: its user or password is not in --mqtt-users; more are not said"
            );
        }
        Err(reason)
    }
}
