//! What others publish on a broker that runs elsewhere, for a bridge: subscribed at QoS 1 in a session that the broker
//! keeps, and acknowledged to it when it is safe. What was not acknowledged before a lost connection comes again, and may
//! be there twice then.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rumqttc::mqttbytes::QoS;
use rumqttc::mqttbytes::v4::Packet;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::wire::{Lost, Wire};
use super::{OutsideBroker, unreachable_broker};
use crate::mqtt::MqttError;
use crate::mqtt::held::{Answers, HeldAnswers, Settled};
use crate::mqtt::intake::{CLIENT_MESSAGES_MAX, Intake, Taken};

/// Longest wait for a packet, and so until a closed intake is noticed.
const WAIT: Duration = Duration::from_millis(100);

/// A broker may end the connection after 90 s without a packet from us.
const PING_AFTER: Duration = Duration::from_secs(15);

/// Longest time between two attempts to connect.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// Messages that are handed on at once.
const BATCH_MAX: usize = 256;

/// Where to subscribe, and to what.
#[derive(Debug, Clone)]
pub struct BridgeSourceOptions {
    pub broker: OutsideBroker,
    /// The session's name at the broker: two bridges need two.
    pub client_id: String,
    pub filters: Vec<String>,
}

/// A connection to the broker, with the subscriptions in force.
pub struct BridgeSource {
    options: BridgeSourceOptions,
    intake: Intake,
    wire: Option<Wire>,
    writer: Arc<BridgeWriter>,
    places: Arc<Semaphore>,
    runtime: Runtime,
    last_ping: Instant,
}

/// The writing side of one connection: acknowledgements, and pings.
#[derive(Debug)]
struct BridgeWriter {
    held: HeldAnswers,
    stream: Mutex<Option<TcpStream>>,
}

impl BridgeWriter {
    fn new(stream: Option<TcpStream>) -> Arc<Self> {
        Arc::new(Self { held: HeldAnswers::default(), stream: Mutex::new(stream) })
    }

    /// Without a connection, or over one that is lost, it goes nowhere: the broker sends the message again.
    fn write(&self, bytes: &[u8]) {
        let mut stream = self.lock();
        if let Some(open) = stream.as_mut().filter(|_| !bytes.is_empty())
            && open.write_all(bytes).is_err()
        {
            let _ = open.shutdown(Shutdown::Both);
            *stream = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<TcpStream>> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answers for BridgeWriter {
    /// A message is settled. One that Kafka refuses is acknowledged too: the broker would send it again and again.
    fn settle(&self, number: u64, settled: Settled) {
        let mut acks = Vec::new();
        self.held.settle(number, settled, |answer, settled| {
            if settled != Settled::GivenUp {
                // PUBACK (3.1.1, section 3.4).
                acks.extend_from_slice(&[0x40, 2]);
                acks.extend_from_slice(&answer.id.to_be_bytes());
            }
        });
        self.write(&acks);
    }
}

impl BridgeSource {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// When the broker cannot be reached, or refuses the login or a subscription.
    pub fn connect(options: BridgeSourceOptions, intake: Intake) -> Result<Self, MqttError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let mut source = Self {
            intake,
            wire: None,
            writer: BridgeWriter::new(None),
            places: Arc::new(Semaphore::new(CLIENT_MESSAGES_MAX)),
            runtime: runtime.map_err(MqttError::Runtime)?,
            last_ping: Instant::now(),
            options,
        };
        source.open().map_err(|lost| unreachable_broker(&source.options.broker, lost))?;
        Ok(source)
    }

    /// Takes messages until the intake closes. The connection stays until this is dropped, for acknowledgements.
    /// `away` is called when the broker goes and when it is back.
    pub fn run(&mut self, mut away: impl FnMut(Option<&Lost>)) {
        while self.intake.closing_for().is_none() {
            if let Err(lost) = self.receive() {
                away(Some(&lost));
                if self.reconnect() {
                    away(None);
                }
            }
        }
    }

    fn open(&mut self) -> Result<(), Lost> {
        let mut wire = Wire::connect(&self.options.broker, &self.options.client_id, false)?;
        let writer = BridgeWriter::new(Some(wire.writer()?));
        for filter in &self.options.filters {
            wire.subscribe(filter)?;
        }
        (self.wire, self.writer, self.last_ping) = (Some(wire), writer, Instant::now());
        Ok(())
    }

    /// Connects again; `false`: the intake closed before.
    fn reconnect(&mut self) -> bool {
        self.wire = None;
        *self.writer.lock() = None;
        let mut wait = Duration::from_millis(50);
        while self.intake.closing_for().is_none() {
            match self.open() {
                Ok(()) => return true,
                Err(error) => tracing::debug!(%error, "no connection to the MQTT broker"),
            }
            wait = (2 * wait).min(RETRY_MAX);
            let until = Instant::now() + wait;
            while Instant::now() < until && self.intake.closing_for().is_none() {
                std::thread::sleep(WAIT.min(wait));
            }
        }
        false
    }

    /// Waits for messages and hands on what is there.
    fn receive(&mut self) -> Result<(), Lost> {
        let Some(wire) = &mut self.wire else { return Ok(()) };
        let mut taken = Vec::new();
        let mut next = wire.read(WAIT)?;
        while let Some(packet) = next {
            if let Packet::Publish(publish) = packet {
                let answer = match publish.qos {
                    QoS::AtMostOnce => None,
                    _ => Some((
                        self.writer.clone() as Arc<dyn Answers>,
                        self.writer.held.hold(publish.pkid, 1),
                    )),
                };
                let topic = Bytes::from(publish.topic);
                taken.push(self.intake.receive(topic, publish.payload, None, answer));
            }
            next = if taken.len() < BATCH_MAX { wire.buffered()? } else { None };
        }
        self.hand_on(taken);
        self.ping();
        Ok(())
    }

    /// While there is no room, the broker is not read, and still hears from us.
    fn hand_on(&mut self, mut taken: Vec<Taken>) {
        while !taken.is_empty() {
            let admitted = async {
                let admit = self.intake.admit(&self.places, &mut taken);
                let _ = tokio::time::timeout(PING_AFTER / 3, admit).await;
            };
            self.runtime.block_on(admitted);
            self.ping();
        }
    }

    fn ping(&mut self) {
        if self.last_ping.elapsed() > PING_AFTER {
            self.last_ping = Instant::now();
            // PINGREQ (3.1.1, section 3.12).
            self.writer.write(&[0xC0, 0]);
        }
    }
}

impl Drop for BridgeSource {
    fn drop(&mut self) {
        *self.writer.lock() = None;
        if let Some(wire) = self.wire.take() {
            wire.disconnect();
        }
    }
}
