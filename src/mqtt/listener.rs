//! The port for outside clients: bound when [`listen`] returns, closed when its task ends.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::clients::{Hub, serve};
use super::{BrokerOptions, MqttError};
use crate::net::ServerTls;

/// Pause after a connection could not be accepted: without it, a process that has no file descriptor left
/// would do nothing else.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Binds the requested address, or a free port where that is allowed, and accepts connections.
pub(super) fn listen(
    runtime: &Runtime,
    options: &BrokerOptions,
    hub: Arc<Hub>,
) -> Result<(SocketAddr, JoinHandle<()>), MqttError> {
    let asked = options.listen;
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::AddrInUse => MqttError::AddressInUse { listen: asked },
        _ => MqttError::Listen { listen: asked, source },
    };
    let bound = match runtime.block_on(TcpListener::bind(asked)) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && options.fall_back_to_free_port => {
            runtime.block_on(TcpListener::bind((asked.ip(), 0)))
        }
        bound => bound,
    };
    let listener = bound.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((addr, runtime.spawn(accept(listener, hub, options.clients.tls))))
}

async fn accept(listener: TcpListener, hub: Arc<Hub>, tls: Option<&'static ServerTls>) {
    loop {
        match listener.accept().await {
            // Too many that have not said who they are: this one is closed at once.
            Ok((stream, _)) => {
                let Some(half_open) = hub.half_open() else { continue };
                // Small packets at once: a delay of 40 ms otherwise.
                let _ = stream.set_nodelay(true);
                let hub = hub.clone();
                match tls {
                    None => drop(tokio::spawn(serve(hub, stream, half_open))),
                    Some(tls) => drop(tokio::spawn(async move {
                        if let Some(stream) = tls.accept("MQTT", stream).await {
                            serve(hub, stream, half_open).await;
                        }
                    })),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept an MQTT connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
