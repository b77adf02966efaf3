//! A running server, as commands ask it.

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;

/// Which server is asked.
#[derive(clap::Args)]
pub struct Server {
    /// The server's API.
    #[arg(long, env = "ATTUNE_URL", default_value = "http://127.0.0.1:7070")]
    url: String,
    /// The server's token.
    #[arg(long, env = "ATTUNE_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

/// Why the server does not answer what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{detail} ({status})")]
pub struct Refused {
    /// The kind of problem: `urn:attune:problem:` and a word.
    pub kind: String,
    detail: String,
    status: hyper::StatusCode,
}

impl Server {
    /// Names a server.
    pub fn at(url: &str, token: Option<&str>) -> Self {
        let (url, token) = (url.to_owned(), token.map(str::to_owned));
        Self { url, token }
    }

    /// Gets a page.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or says why not.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, "").await
    }

    /// Posts JSON.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or says why not.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, &body.to_string()).await
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> anyhow::Result<Value> {
        let url = &self.url;
        let host = url.strip_prefix("http://").unwrap_or(url);
        let host = host.trim_end_matches('/');
        let unreachable = || format!("no server answers at `{url}`; is `attune serve` running?");
        let stream = tokio::net::TcpStream::connect(host)
            .await
            .with_context(unreachable)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .with_context(unreachable)?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("host", host);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let response = sender.send_request(request.body(body)?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        connection.abort();
        let body: Value =
            serde_json::from_slice(&body).context("the server did not answer in JSON")?;
        if let Some(shown) = body["shown"].as_str() {
            let title = body["title"].as_str().unwrap_or_default();
            bail!("{title}\n{}", shown.trim_end());
        }
        if !status.is_success() {
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            let (kind, detail) = (text("type"), text("detail"));
            return Err(Refused {
                kind,
                detail,
                status,
            }
            .into());
        }
        Ok(body)
    }
}

/// Encodes a text for a path or query.
pub fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let hex = |digit: u8| char::from_digit(u32::from(digit), 16).unwrap_or('0');
            out.extend([
                '%',
                hex(byte >> 4).to_ascii_uppercase(),
                hex(byte & 15).to_ascii_uppercase(),
            ]);
        }
        out
    })
}
