//! The listener: takes connections, speaks HTTP/1 on them, and lets nobody hold it up.
//!
//! A connection has a time for each thing it does ([`open`]), there are only so many, and a new one
//! closes the idlest. Invariant: whoever connects is heard, however many others are silent.
//! HTTP/2 is not spoken: one connection could hold a hundred requests open.

mod open;
mod watched;

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::response::Response;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::open::{Connection, OpenConnections};
use self::watched::Watched;
use crate::telemetry::Seldom;

/// Bytes that are read ahead on a connection. A head must fit; Meta's have under 2 KiB.
const READ_AHEAD: usize = 16 * 1024;
/// Limits how long a connection that is answered may go on sending, so that its sender can read the
/// answer: a socket that is closed with unread bytes takes the answer along.
const LINGER: Duration = Duration::from_secs(2);
/// Wait after the system gave no connection, e.g. for want of files.
const AGAIN: Duration = Duration::from_millis(50);

/// Serves one router on one address.
pub struct Server {
    /// Where connections come from.
    pub listener: TcpListener,
    /// Answers the requests.
    pub router: Router,
    /// Connections that may be open at a time.
    pub connections: usize,
}

impl Server {
    /// Serves until `stop`; then takes nothing new, and ends once every request that has come is
    /// answered. One that is still coming has two seconds.
    pub async fn serve(self, stop: CancellationToken) {
        let Self { listener, router, connections } = self;
        let (open, tasks) = (OpenConnections::new(connections), TaskTracker::new());
        let seldom = Arc::new(Seldom::default());
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stop.cancelled() => break,
            };
            match accepted {
                Ok((stream, _)) => {
                    let Some(connection) = open.admit(&seldom) else { continue };
                    tasks.spawn(converse(stream, connection, router.clone(), stop.clone()));
                }
                Err(error) => {
                    seldom.tell("accept", move |count| {
                        tracing::error!(count, error = %error, "no connection can be taken");
                    });
                    // Files may be what is lacking.
                    open.close_idlest();
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }
}

/// Answers the requests of one connection until it ends, takes too long or has to go.
async fn converse(
    stream: TcpStream,
    connection: open::Admitted,
    router: Router,
    stop: CancellationToken,
) {
    let connection = &connection.connection;
    let io = TokioIo::new(Watched { stream, connection: Arc::clone(connection) });
    let service = {
        let (router, connection) = (TowerToHyperService::new(router), Arc::clone(connection));
        service_fn(move |request| answer(router.clone(), Arc::clone(&connection), request))
    };
    let mut serving = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(READ_AHEAD)
        .serve_connection(io, service);
    let mut stopping = false;
    loop {
        tokio::select! {
            // What went wrong concerns the other side only.
            _served = poll_fn(|context| serving.poll_without_shutdown(context)) => break,
            () = connection.expired() => return,
            () = connection.closed() => return,
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                if !connection.is_asking() {
                    return;
                }
                connection.hurry();
                std::pin::Pin::new(&mut serving).graceful_shutdown();
            }
        }
    }
    let rest = linger(serving.into_parts().io.into_inner().stream);
    tokio::select! {
        _took_too_long = tokio::time::timeout(LINGER, rest) => {}
        () = connection.closed() => {}
        () = stop.cancelled() => {}
    }
}

/// Lets the router answer, and keeps in mind what the connection does meanwhile.
fn answer(
    router: TowerToHyperService<Router>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> BoxFuture<'static, Result<Response, Infallible>> {
    connection.asks();
    let (parts, body) = request.into_parts();
    let body = if body.is_end_stream() {
        connection.has_asked();
        Body::empty()
    } else {
        let connection = Arc::clone(&connection);
        let end = stream::poll_fn(move |_| {
            connection.has_asked();
            Poll::Ready(None)
        });
        Body::from_stream(Body::new(body).into_data_stream().chain(end))
    };
    async move {
        let answered = router.call(Request::from_parts(parts, body)).await;
        connection.is_answered();
        answered
    }
    .boxed()
}

/// Says that no more comes and reads what still arrives, to its end.
async fn linger(mut stream: TcpStream) -> std::io::Result<()> {
    stream.shutdown().await?;
    let mut unread = [0; 4096];
    while stream.read(&mut unread).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests;
