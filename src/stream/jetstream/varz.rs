//! The server's monitoring page: how often it syncs to disk.

use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::Error;

const TIMEOUT: Duration = Duration::from_secs(3);
const BYTES_MAX: u64 = 4 * 1_024 * 1_024;

#[derive(Deserialize)]
struct Varz {
    #[serde(default)]
    jetstream: Section,
}

#[derive(Default, Deserialize)]
struct Section {
    config: Option<Settings>,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    sync_always: bool,
}

/// Tells if the server syncs every write to disk before it acknowledges.
pub(super) async fn syncs_always(url: &str) -> Result<bool, Error> {
    let page = tokio::time::timeout(TIMEOUT, get(url))
        .await
        .map_err(|_| Error::Unreachable(format!("`{url}` does not answer")))?;
    let page = page.map_err(|error| Error::Unreachable(format!("cannot read `{url}`: {error}")))?;
    syncs_always_in(&page).map_err(|why| Error::Setup(format!("`{url}`: {why}")))
}

/// Reads the answer of `GET /varz`, headers and body.
pub(in crate::stream) fn syncs_always_in(page: &[u8]) -> Result<bool, String> {
    let text = std::str::from_utf8(page).map_err(|_| "the answer is not text")?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or("the answer is not HTTP")?;
    let status = head.split_whitespace().nth(1).unwrap_or_default();
    if status != "200" {
        return Err(format!("the answer is status `{status}`"));
    }
    let varz: Varz =
        serde_json::from_str(body).map_err(|error| format!("the answer is not varz: {error}"))?;
    let settings = varz.jetstream.config.ok_or("JetStream is not enabled")?;
    Ok(settings.sync_always)
}

/// Sends one HTTP/1.0 request, so the answer comes whole and the connection closes.
async fn get(url: &str) -> std::io::Result<Vec<u8>> {
    let wrong = |why: &str| std::io::Error::new(std::io::ErrorKind::InvalidInput, why.to_owned());
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| wrong("only http:// is supported"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, "varz"));
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /{path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut page = Vec::new();
    stream.take(BYTES_MAX).read_to_end(&mut page).await?;
    Ok(page)
}
