//! What has been read of a connection for a bridge and is on its way there.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::super::intake::{Answer, CLIENT_MESSAGES_MAX, CLOSING_READ_MAX, Intake, Taken};
use super::hub::Hub;
use super::inlet::Message;
use super::reader::{PacketReader, ReadError};

/// What has been read of a connection and is not handed on.
pub(super) struct Outflow {
    pub taken: Vec<Taken>,
    /// Places of its messages that are not settled.
    pub places: Arc<Semaphore>,
    /// The client's id.
    client: Arc<str>,
}

impl Outflow {
    pub fn new(client_id: &str) -> Self {
        Self {
            taken: Vec::new(),
            places: Arc::new(Semaphore::new(CLIENT_MESSAGES_MAX)),
            client: client_id.into(),
        }
    }

    /// Takes a message; `answer` is whom to tell when it is safe.
    pub fn take(&mut self, intake: &Intake, message: &Message, answer: Answer) {
        let (topic, payload) = (message.about.topic.clone(), message.payload.clone());
        self.taken.push(intake.receive(topic, payload, Some(self.client.clone()), answer));
    }
}

/// Reads more, until the intake closes: then what is still on its way, and after that nothing, while answers go out.
pub(super) async fn read_until_closed(
    reader: &mut PacketReader,
    input: &mut (impl AsyncRead + Unpin),
    hub: &Hub,
) -> Result<(), ReadError> {
    /// What is on its way on a network comes without such a pause.
    const QUIET: Duration = Duration::from_millis(50);
    let Some(intake) = &hub.intake else { return reader.read_more(input, hub).await };
    match intake.closing_for() {
        None => tokio::select! {
            read = reader.read_more(input, hub) => read,
            () = intake.closes() => Ok(()),
        },
        Some(since) => {
            let left = CLOSING_READ_MAX.saturating_sub(since).min(QUIET);
            match timeout(left, reader.read_more(input, hub)).await {
                Ok(read) if !left.is_zero() => read,
                _ => std::future::pending().await,
            }
        }
    }
}
