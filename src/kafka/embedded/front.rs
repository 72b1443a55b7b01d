//! TLS in front of the endpoint, which itself listens on this machine alone: ends TLS, and passes the bytes on.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::net::ServerTls;

/// Connections at a time: as many as the endpoint serves by default.
const CONNECTIONS_MAX: usize = 2_000;

/// Bytes that are passed on at once, each way.
const BUFFER_BYTES: usize = 64 << 10;

/// How long bytes may wait for somebody to take them, as long as in the endpoint itself.
const UNREAD_MAX: Duration = Duration::from_secs(600);

/// How long the other side may take to hear that one has ended.
const FAREWELL: Duration = Duration::from_secs(1);

/// Pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Who has come over TLS, by the address from which the endpoint sees them.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<HashMap<SocketAddr, Arrival>>);

/// One client that came over TLS.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// Where it comes from.
    pub from: SocketAddr,
    /// The address at which it reached us.
    pub at: SocketAddr,
}

impl Arrivals {
    /// The client that the endpoint sees at `seen`; `None`: it came without TLS.
    pub fn get(&self, seen: SocketAddr) -> Option<Arrival> {
        self.lock().get(&seen).copied()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SocketAddr, Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that ends TLS. Dropping it ends its connections.
#[derive(Debug)]
pub(super) struct Front {
    pub addr: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Front {
    /// Passes what comes to `listener` on to the endpoint at `inside`.
    pub fn start(
        listener: TcpListener,
        tls: &'static ServerTls,
        inside: SocketAddr,
        arrivals: Arc<Arrivals>,
    ) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let (end, ended) = oneshot::channel();
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, tls, inside, arrivals) => {}
                    _ = ended => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("kafka-tls".into()).spawn(work)?;
        Ok(Self { addr, end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        // Fails where the thread has ended.
        let _ = self.end.take().map(|end| end.send(()));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn accept(listener: TcpListener, tls: &'static ServerTls, inside: SocketAddr, arrivals: Arc<Arrivals>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                // Too many: this one is closed at once.
                let Ok(place) = places.clone().try_acquire_owned() else { continue };
                let arrivals = arrivals.clone();
                tokio::spawn(async move {
                    let Ok(at) = stream.local_addr() else { return };
                    let _ = stream.set_nodelay(true);
                    let Some(stream) = tls.accept("Kafka", stream).await else { return };
                    // Either side may leave at any time.
                    let _ = pass_on(stream, inside, Arrival { from, at }, &arrivals).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "Kafka endpoint: cannot accept a connection over TLS");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Passes bytes both ways until one side ends; the other one then gets what is on its way to it.
async fn pass_on(
    outside: tokio_rustls::server::TlsStream<TcpStream>,
    inside: SocketAddr,
    arrival: Arrival,
    arrivals: &Arrivals,
) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let seen = socket.local_addr()?;
    arrivals.lock().insert(seen, arrival);
    let passed = async {
        let inner = socket.connect(inside).await?;
        inner.set_nodelay(true)?;
        let (mut from_client, mut to_client) = tokio::io::split(outside);
        let (mut from_endpoint, mut to_endpoint) = inner.into_split();
        {
            let answers = give(&mut from_endpoint, &mut to_client);
            tokio::pin!(answers);
            tokio::select! {
                ended = &mut answers => ended?,
                // Many close the connection without ending TLS.
                _ = give(&mut from_client, &mut to_endpoint) => {
                    to_endpoint.shutdown().await?;
                    let _ = timeout(FAREWELL, answers).await;
                }
            }
        }
        let _ = timeout(FAREWELL, to_client.shutdown()).await;
        Ok(())
    };
    let passed = passed.await;
    arrivals.lock().remove(&seen);
    passed
}

/// Passes bytes one way until its source ends, or nobody takes them.
async fn give(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    let mut bytes = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut bytes).await?;
        if read == 0 {
            return Ok(());
        }
        timeout(UNREAD_MAX, async {
            to.write_all(&bytes[..read]).await?;
            to.flush().await
        })
        .await??;
    }
}
