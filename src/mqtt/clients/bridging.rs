//! What a connection does for a bridge: each message that its client publishes goes there before it is answered.

use std::sync::Arc;

use super::super::codec::Publish;
use super::super::held::Answers;
use super::connection::Client;
use super::inlet::Message;
use super::session::Session;

impl Client {
    /// Whether the bridge answers this message, later. `message` is what is new of it.
    pub(super) fn is_taken(&mut self, publish: &Publish<'_>, message: Option<&Message>) -> bool {
        let Some(intake) = &self.hub.intake else { return false };
        let Some(message) = message else {
            // Of one that came before, PUBREC is yet to go out.
            return publish.qos == 2 && self.session.is_held(publish.id);
        };
        let answer = match publish.qos {
            0 => None,
            qos => Some((self.session.clone() as Arc<dyn Answers>, self.session.hold(publish.id, qos))),
        };
        self.outflow.take(intake, message, answer);
        true
    }

    /// The same for its will, unless the bridge is closing: then it is we who left.
    pub(super) fn take_will(&mut self, will: &Message) {
        if let Some(intake) = self.hub.intake.as_ref().filter(|intake| intake.closing_for().is_none()) {
            self.outflow.take(intake, will, None);
        }
    }

    /// Hands on what was taken, once there is room for it.
    pub(super) async fn hand_on(&mut self) {
        let Some(intake) = &self.hub.intake else { return };
        intake.admit(&self.outflow.places, &mut self.outflow.taken).await;
        if !self.hub.has_watchers() {
            self.batch.clear();
        }
    }

    /// A QoS 2 message whose id was refused is a new one.
    pub(super) fn begins(&mut self, publish: &Publish<'_>) -> bool {
        if publish.qos < 2 {
            return true;
        }
        let was_refused = self.hub.intake.is_some() && self.session.take_refused(publish.id);
        self.unreleased.insert(publish.id) || was_refused
    }
}

impl Session {
    /// Its connection is gone: nobody is left to be answered.
    pub fn forget_answers(&self) {
        self.held.clear();
    }
}
