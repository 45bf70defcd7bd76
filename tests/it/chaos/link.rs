//! The network between a node and its database: a TCP proxy that can be cut.

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What a network does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkState {
    /// Carries everything.
    Open,
    /// Swallows everything and ends no connection; what was swallowed comes when it opens again.
    Silent,
    /// Ends every connection, and each new one at once.
    Broken,
}

/// One node's way to the database.
pub(super) struct DatabaseLink {
    pub(super) address: SocketAddr,
    state: watch::Sender<LinkState>,
}

impl DatabaseLink {
    /// Listens for one node; what it says goes to this socket.
    pub(super) async fn open(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(LinkState::Open);
        let told = state.subscribe();
        tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                tokio::spawn(carry(node, socket.clone(), told.clone()));
            }
        });
        Self { address, state }
    }

    pub(super) fn set(&self, state: LinkState) {
        self.state.send_replace(state);
    }
}

/// Carries one connection until either side or the network ends it.
async fn carry(mut node: TcpStream, socket: PathBuf, mut told: watch::Receiver<LinkState>) {
    if passes(&mut told).await
        && let Ok(mut database) = UnixStream::connect(socket).await
    {
        let (from_node, to_node) = node.split();
        let (from_database, to_database) = database.split();
        let mut broken = told.clone();
        tokio::select! {
            () = pump(from_node, to_database, told.clone()) => {}
            () = pump(from_database, to_node, told) => {}
            _ = broken.wait_for(|state| *state == LinkState::Broken) => {}
        }
    }
}

/// Waits while the network is silent; returns whether it carries.
async fn passes(told: &mut watch::Receiver<LinkState>) -> bool {
    let state = told.wait_for(|state| *state != LinkState::Silent).await;
    state.is_ok_and(|state| *state == LinkState::Open)
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut told: watch::Receiver<LinkState>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if !passes(&mut told).await || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    // That it ended is not heard across a silent network, either.
    passes(&mut told).await;
}
