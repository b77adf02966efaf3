//! `attune why`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::Value;

/// Arguments of `attune why`.
#[derive(clap::Args)]
pub struct Args {
    /// The customer's id.
    customer: String,
    /// Only what concerns this journey or placement.
    journey: Option<String>,
    /// The server's API.
    #[arg(long, env = "ATTUNE_URL", default_value = "http://127.0.0.1:7070")]
    url: String,
    /// The server's token.
    #[arg(long, env = "ATTUNE_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// Prints the timeline as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks a running server for a customer's timeline and prints it, the oldest first.
///
/// # Errors
///
/// The server cannot be reached or does not know the customer.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut path = format!("/v1/customers/{}/timeline", encode(&args.customer));
    if let Some(journey) = &args.journey {
        path.push_str("?journey=");
        path.push_str(&encode(journey));
    }
    let timeline = super::block_on(get(&args.url, &path, args.token.as_deref()))?;
    if args.json {
        super::say(&serde_json::to_string_pretty(&timeline)?);
        return Ok(ExitCode::SUCCESS);
    }
    let lines = timeline["timeline"]
        .as_array()
        .context("the server sent no timeline")?;
    if lines.is_empty() {
        super::say("nothing was decided");
    }
    for line in lines.iter().rev() {
        super::say(&shown(line));
    }
    Ok(ExitCode::SUCCESS)
}

fn shown(line: &Value) -> String {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    let mark = match text("what") {
        "refused" | "blocked" => "✗",
        "entered" | "sent" | "ranked" => "✓",
        _ => "·",
    };
    format!("{mark} {}  {}", text("at"), text("text"))
}

async fn get(url: &str, path: &str, token: Option<&str>) -> anyhow::Result<Value> {
    let host = url
        .strip_prefix("http://")
        .unwrap_or(url)
        .trim_end_matches('/');
    let unreachable = || format!("no server answers at `{url}`; is `attune serve` running?");
    let stream = tokio::net::TcpStream::connect(host)
        .await
        .with_context(unreachable)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .with_context(unreachable)?;
    let connection = tokio::spawn(connection);
    let mut request = Request::get(path).header("host", host);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = sender
        .send_request(request.body(Empty::<Bytes>::new())?)
        .await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    connection.abort();
    let body: Value = serde_json::from_slice(&body).context("the server did not answer in JSON")?;
    if !status.is_success() {
        let detail = body["detail"]
            .as_str()
            .or(body["title"].as_str())
            .unwrap_or_default();
        bail!("{detail} ({status})");
    }
    Ok(body)
}

/// Encodes a text for a path or query.
fn encode(text: &str) -> String {
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
