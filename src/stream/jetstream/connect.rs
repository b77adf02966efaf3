//! The connection: addresses, credentials, and what is known of its state.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use super::super::Error;

/// Messages that wait in a subscription, at most. Readers ask for less than this, so none is dropped.
pub(super) const QUEUE_MAX: usize = 65_536;
/// How long `drain` may take.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the servers are and who we are. `Debug` does not show secrets.
#[derive(Clone)]
pub struct Connect {
    /// Addresses, `nats://host:4222` or `tls://host:4222`.
    pub urls: Vec<String>,
    /// The name that the server shows for this connection.
    pub name: String,
    /// A user name, with `password`.
    pub user: Option<String>,
    /// The password of `user`.
    pub password: Option<String>,
    /// A token.
    pub token: Option<String>,
    /// A credentials file (JWT and seed).
    pub credentials: Option<PathBuf>,
    /// Refuses a connection without TLS.
    pub tls: bool,
    /// Root certificates besides those of the system.
    pub tls_roots: Option<PathBuf>,
    /// A client certificate and its key.
    pub tls_identity: Option<(PathBuf, PathBuf)>,
    /// How long `open` waits for a connection.
    pub timeout: Duration,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            urls: vec!["nats://127.0.0.1:4222".into()],
            name: "attune".into(),
            user: None,
            password: None,
            token: None,
            credentials: None,
            tls: false,
            tls_roots: None,
            tls_identity: None,
            timeout: Duration::from_secs(5),
        }
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls: Vec<&str> = self.urls.iter().map(|url| without_secrets(url)).collect();
        f.debug_struct("Connect")
            .field("urls", &urls)
            .field("name", &self.name)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("credentials", &self.credentials)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// Returns the part of an address after `user:password@`.
fn without_secrets(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, host)| host)
}

/// What is known of the connection, and a bell that rings when it is new.
pub(super) struct Link {
    /// Counts connections.
    pub times: watch::Receiver<u64>,
    /// The last thing that went wrong.
    trouble: Arc<Mutex<Option<String>>>,
}

impl Link {
    /// Tells if the connection stands, else why not.
    pub(super) fn health(&self, client: &Client) -> Result<(), String> {
        let trouble = || {
            let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble
                .clone()
                .map_or(String::new(), |why| format!(": {why}"))
        };
        match client.connection_state() {
            State::Connected => Ok(()),
            State::Pending => Err(format!("not connected to NATS yet{}", trouble())),
            State::Disconnected => Err(format!("not connected to NATS{}", trouble())),
        }
    }
}

/// Starts to connect in the background.
pub(super) async fn connect(options: &Connect) -> Result<(Client, Link), Error> {
    let (bell, times) = watch::channel(0);
    let trouble = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&trouble);
    let client = with_identity(options)
        .await?
        .name(&options.name)
        .retry_on_initial_connect()
        .max_reconnects(None)
        .connection_timeout(options.timeout)
        .reconnect_delay_callback(|attempts| {
            // The first try is at once; then slower, to at most a second.
            Duration::from_millis(u64::try_from(attempts).map_or(1_000, |n| (n * 100).min(1_000)))
        })
        .subscription_capacity(QUEUE_MAX)
        .event_callback(move |event| {
            note(&event, &bell, &noted);
            std::future::ready(())
        })
        .connect(addresses(options)?)
        .await
        .map_err(|error| Error::Setup(format!("cannot use the NATS options: {error}")))?;
    Ok((client, Link { times, trouble }))
}

fn addresses(options: &Connect) -> Result<Vec<ServerAddr>, Error> {
    if options.urls.iter().all(|url| url.trim().is_empty()) {
        return Err(Error::Setup("no address of a NATS server is given".into()));
    }
    let parsed = options.urls.iter().map(|url| {
        url.parse().map_err(|error| {
            let url = without_secrets(url);
            Error::Setup(format!(
                "`{url}` is not an address of a NATS server: {error}"
            ))
        })
    });
    parsed.collect()
}

async fn with_identity(options: &Connect) -> Result<ConnectOptions, Error> {
    let mut out = ConnectOptions::new();
    if let (Some(user), Some(password)) = (&options.user, &options.password) {
        out = out.user_and_password(user.clone(), password.clone());
    }
    if let Some(token) = &options.token {
        out = out.token(token.clone());
    }
    if let Some(path) = &options.credentials {
        out = out.credentials_file(path).await.map_err(|error| {
            let path = path.display();
            Error::Setup(format!(
                "cannot read the credentials file `{path}`: {error}"
            ))
        })?;
    }
    if let Some(path) = &options.tls_roots {
        out = out.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &options.tls_identity {
        out = out.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(out.require_tls(options.tls))
}

/// Rings the bell on a connection; keeps what went wrong for people.
fn note(event: &Event, bell: &watch::Sender<u64>, trouble: &Mutex<Option<String>>) {
    let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
    if *event == Event::Connected {
        bell.send_modify(|times| *times += 1);
        *trouble = None;
        return;
    }
    tracing::debug!(%event, "NATS connection");
    *trouble = Some(event.to_string());
}

/// Sends what is queued, and closes.
pub(super) async fn drain(client: &Client) {
    let drained = tokio::time::timeout(DRAIN_TIMEOUT, async {
        client.flush().await.ok();
        client.drain().await
    });
    match drained.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "NATS connection not drained"),
        Err(_) => tracing::debug!("NATS connection not drained in time"),
    }
}
