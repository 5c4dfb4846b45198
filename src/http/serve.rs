//! The loop that takes connections, and how it ends: what has begun is finished.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::ALLOW;
use axum::http::uri::{PathAndQuery, Uri};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use super::error::json as json_response;

/// A client that does not finish its headers in this time is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Header lines of a request, all together.
const MAX_HEADERS: usize = 16 * 1024;
/// How long requests may take to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

/// Serves until `shutdown`, then finishes the open requests.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => connection(stream, peer, router.clone(), &graceful),
                // Out of file descriptors, or a connection that is gone already: others may still come in.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

fn connection(stream: TcpStream, peer: SocketAddr, router: Router, graceful: &GracefulShutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone");
    }
    let service = hyper::service::service_fn(move |request: Request<Incoming>| answer(router.clone(), request, peer));
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(64 * 1024).half_close(true);
    let served = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
    tokio::spawn(async move {
        if let Err(error) = served.await {
            tracing::debug!(%error, "a connection ended early");
        }
    });
}

async fn answer(router: Router, request: Request<Incoming>, peer: SocketAddr) -> Result<Response, std::convert::Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > MAX_HEADERS || request.uri().to_string().len() > MAX_HEADERS {
        let text = json!({"error": "HTTP 431 Request Header Fields Too Large"});
        return Ok(json_response(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &text));
    }
    match normalized(request.uri()) {
        Ok(None) => {}
        Ok(Some(uri)) => *request.uri_mut() = uri,
        Err(refusal) => return Ok(refusal),
    }
    let mut response = router.oneshot(request).await.unwrap_or_else(|never| match never {});
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        // The router names the verbs of a route in answers that were given before it was reached, too.
        response.headers_mut().remove(ALLOW);
    }
    Ok(response)
}

/// The address without a slash at its end; `//` and `..` in a path are no path (CVE-2021-3513 and its family).
fn normalized(uri: &Uri) -> Result<Option<Uri>, Response> {
    let path = uri.path();
    let lower = path.to_ascii_lowercase();
    let climbs = path.split('/').any(|s| matches!(s, "." | "..")) || lower.contains("%2e%2e");
    if path.contains("//") || climbs || lower.contains("%00") {
        let body = json!({"error": "missingNormalization", "error_description": "Request path not normalized"});
        return Err(json_response(StatusCode::BAD_REQUEST, &body));
    }
    let Some(trimmed) = path.strip_suffix('/').filter(|p| !p.is_empty()) else { return Ok(None) };
    let text = uri.query().map_or_else(|| trimmed.to_owned(), |query| format!("{trimmed}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).map_err(|_| StatusCode::BAD_REQUEST.into_response())?);
    Uri::from_parts(parts).map(Some).map_err(|_| StatusCode::BAD_REQUEST.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_does_not_matter() {
        let of = |text: &str| normalized(&text.parse().unwrap()).unwrap().map(|u| u.to_string());
        assert_eq!(of("/realms/a/?x=1"), Some("/realms/a?x=1".to_owned()));
        assert_eq!(of("/realms/a?x=/"), None);
        assert_eq!(of("/"), None);
    }

    #[test]
    fn a_path_that_climbs_is_refused() {
        for text in ["/realms//a", "/realms/../admin", "/realms/%2e%2e/admin", "/realms/a%00", "/a/./b"] {
            assert_eq!(normalized(&text.parse().unwrap()).unwrap_err().status(), StatusCode::BAD_REQUEST, "{text}");
        }
    }
}
