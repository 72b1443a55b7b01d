//! The port for outside clients: bound when [`listen`] returns, closed when its task ends.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::task::Poll;

use rumqttd::{ConnectionSettings, LinkType, Server, ServerSettings};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::protocol::AnyVersion;
use super::{BrokerOptions, MqttError};

/// Largest packet, from the replay or from outside: a record of 16 MiB with its topic and
/// properties. An outside client that sends a larger one loses its connection.
pub(super) const PACKET_MAX_BYTES: usize = 17 << 20;

/// Attempts to bind a free port before some other program takes it.
const FREE_PORT_TRIES: usize = 16;

/// Starts a server on the requested address, or on a free port where that is allowed.
pub(super) fn listen(
    runtime: &Runtime,
    options: &BrokerOptions,
    serve: impl Fn(SocketAddr) -> Server<AnyVersion>,
) -> Result<(SocketAddr, JoinHandle<()>), MqttError> {
    let asked = options.listen;
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::AddrInUse => MqttError::AddressInUse { listen: asked },
        _ => MqttError::Listen { listen: asked, source },
    };
    if asked.port() != 0 {
        match spawn_listening(runtime, serve(asked)).map_err(failed) {
            Err(MqttError::AddressInUse { .. }) if options.fall_back_to_free_port => {}
            result => return Ok((asked, result?)),
        }
    }
    // rumqttd does not say which port it got for 0.
    let mut tries = 0;
    loop {
        let free = TcpListener::bind((asked.ip(), 0)).and_then(|probe| probe.local_addr()).map_err(failed)?;
        match spawn_listening(runtime, serve(free)) {
            Ok(server) => return Ok((free, server)),
            Err(error) if error.kind() == ErrorKind::AddrInUse && tries < FREE_PORT_TRIES => tries += 1,
            Err(error) => return Err(failed(error)),
        }
    }
}

/// Runs a server that has bound its port.
fn spawn_listening(runtime: &Runtime, mut server: Server<AnyVersion>) -> Result<JoinHandle<()>, io::Error> {
    let mut task = Box::pin(async move { server.start(LinkType::Remote).await });
    // The server binds, then waits for connections forever: at its first wait, it listens.
    let bound = runtime.block_on(poll_fn(|context| Poll::Ready(task.as_mut().poll(context))));
    match bound {
        Poll::Pending => Ok(runtime.spawn(async move {
            if let Err(error) = task.await {
                tracing::error!(%error, "the MQTT listener ended");
            }
        })),
        Poll::Ready(Ok(())) => Err(ErrorKind::Other.into()),
        Poll::Ready(Err(error)) => Err(io_error(&error)),
    }
}

/// rumqttd's error type has no public name; the system's error is its source.
fn io_error(error: &dyn std::error::Error) -> io::Error {
    match error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error)
    {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::other(error.to_string()),
    }
}

pub(super) fn settings(listen: SocketAddr) -> ServerSettings {
    ServerSettings {
        name: "mqtt".into(),
        listen,
        tls: None,
        next_connection_delay_ms: 0,
        connections: ConnectionSettings {
            connection_timeout_ms: 10_000,
            max_payload_size: PACKET_MAX_BYTES,
            // Packets read before the router is notified: all that have arrived. (It limits nothing
            // else.)
            max_inflight_count: usize::MAX,
            auth: None,
            external_auth: None,
            dynamic_filters: false,
        },
    }
}
