//! A nats-server of our own: a child process for `attune dev` and for tests.

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::Error;

/// How long a server may take to accept connections; it reads its store first.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a server may take to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a server is started before its failure counts.
const ATTEMPTS_MAX: u32 = 3;
/// How long a server may take to greet.
const GREETING_TIMEOUT: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const POLL: Duration = Duration::from_millis(20);

/// How to run a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The program; see [`find_program`].
    pub program: PathBuf,
    /// Where it keeps its streams, its configuration and its log.
    pub dir: PathBuf,
    /// The port for clients on the loopback; `None` takes a free one.
    pub port: Option<u16>,
    /// The port of the monitoring page on the loopback; `None` takes a free one.
    pub monitor_port: Option<u16>,
    /// The largest message, in bytes.
    pub max_payload: u32,
    /// `always`, or a length like `2m`: when written messages are synced to disk.
    pub sync_interval: String,
    /// Whether it is spared the signals that a terminal sends to all processes of a command, such as those of Ctrl-C.
    pub own_group: bool,
}

impl Settings {
    /// Runs `program` in `dir` with the defaults of nats-server, but messages up to 8 MB.
    pub fn new(program: PathBuf, dir: PathBuf) -> Self {
        Self {
            program,
            dir,
            port: None,
            monitor_port: None,
            max_payload: 8 * 1_024 * 1_024,
            sync_interval: "2m".into(),
            own_group: false,
        }
    }
}

/// A running nats-server; it ends when this is dropped.
#[derive(Debug)]
pub struct NatsServer {
    settings: Settings,
    port: u16,
    monitor_port: u16,
    child: Option<Child>,
}

/// Finds the program: `ATTUNE_NATS_SERVER`, else `.tools/bin/nats-server` below `root`, else the `PATH`.
///
/// # Errors
///
/// [`Error::Server`] when it is nowhere.
pub fn find_program(root: &Path) -> Result<PathBuf, Error> {
    if let Some(path) = std::env::var_os("ATTUNE_NATS_SERVER") {
        let path = PathBuf::from(path);
        if path.is_file() {
            return Ok(path);
        }
        let path = path.display();
        return Err(Error::Server(format!(
            "`ATTUNE_NATS_SERVER` says `{path}`, there is no file"
        )));
    }
    let local = root.join(".tools/bin/nats-server");
    let search = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&search).map(|dir| dir.join("nats-server"));
    std::iter::once(local)
        .chain(on_path)
        .find(|path| path.is_file())
        .ok_or_else(|| {
            Error::Server(
                "the program is not in `ATTUNE_NATS_SERVER`, `.tools/bin` or the `PATH`; `make setup` installs it".into(),
            )
        })
}

impl NatsServer {
    /// Starts a server and waits until it accepts connections.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] with the end of its log, when it does not.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        fs::create_dir_all(&settings.dir).map_err(|error| io(&error))?;
        let mut server = Self {
            settings,
            port: 0,
            monitor_port: 0,
            child: None,
        };
        for _ in 1..ATTEMPTS_MAX {
            server.choose_ports()?;
            match server.restart().await {
                Ok(()) => return Ok(server),
                // A port that was free may be taken a moment later.
                Err(error) => tracing::debug!(%error, "nats-server starts again"),
            }
        }
        server.choose_ports()?;
        server.restart().await?;
        Ok(server)
    }

    fn choose_ports(&mut self) -> Result<(), Error> {
        self.port = self.settings.port.map_or_else(free_port, Ok)?;
        self.monitor_port = self.settings.monitor_port.map_or_else(free_port, Ok)?;
        Ok(())
    }

    /// Returns the address for clients.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Returns the address of its monitoring page.
    pub fn varz_url(&self) -> String {
        format!("http://127.0.0.1:{}/varz", self.monitor_port)
    }

    /// Returns the process id while it runs.
    pub fn process_id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts again on the same ports and the same store, after it ended.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] with the end of its log, when it does not start.
    pub async fn restart(&mut self) -> Result<(), Error> {
        self.kill9();
        let config = self.settings.dir.join("nats-server.conf");
        fs::write(&config, self.config()).map_err(|error| io(&error))?;
        let log = fs::File::create(self.log_path()).map_err(|error| io(&error))?;
        let mut command = Command::new(&self.settings.program);
        if self.settings.own_group {
            command.process_group(0);
        }
        let child = command
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(|error| io(&error))?;
        self.child = Some(child);
        self.accepts().await
    }

    /// Asks it to end, and waits until it did.
    ///
    /// # Errors
    ///
    /// [`Error::Server`] when it does not end in time; then it is killed.
    pub async fn kill(&mut self) -> Result<(), Error> {
        let Some(child) = &mut self.child else {
            return Ok(());
        };
        let signal = format!("quit={}", child.id());
        let sent = tokio::process::Command::new(&self.settings.program)
            .arg("--signal")
            .arg(signal)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        sent.await.map_err(|error| io(&error))?;
        let n_polls = STOP_TIMEOUT.as_millis() / POLL.as_millis();
        for _ in 0..n_polls {
            if child.try_wait().map_err(|error| io(&error))?.is_some() {
                self.child = None;
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        self.kill9();
        Err(Error::Server(
            "it did not end in time and was killed".into(),
        ))
    }

    /// Ends it at once, as a crash would.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only when it has ended already.
            child.kill().ok();
            child.wait().ok();
        }
    }

    fn config(&self) -> String {
        let store = self.settings.dir.join("jetstream");
        format!(
            "listen: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"\nmax_payload: {}\n\
             jetstream {{\n  store_dir: {:?}\n  sync_interval: {}\n}}\n",
            self.port,
            self.monitor_port,
            self.settings.max_payload,
            store.display().to_string(),
            self.settings.sync_interval,
        )
    }

    fn log_path(&self) -> PathBuf {
        self.settings.dir.join("nats-server.log")
    }

    /// Waits until it accepts connections.
    async fn accepts(&mut self) -> Result<(), Error> {
        let n_polls = START_TIMEOUT.as_millis() / POLL.as_millis();
        for _ in 0..n_polls {
            let child = self.child.as_mut();
            let ended = child
                .map_or(Ok(None), Child::try_wait)
                .map_err(|error| io(&error))?;
            if let Some(status) = ended {
                self.child = None;
                return Err(Error::Server(format!(
                    "it ended with {status}: {}",
                    self.log_end()
                )));
            }
            let greeted = tokio::time::timeout(GREETING_TIMEOUT, greets(self.port)).await;
            if matches!(greeted, Ok(Ok(true))) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        self.kill9();
        Err(Error::Server(format!(
            "it does not accept connections: {}",
            self.log_end()
        )))
    }

    /// Returns the last lines of its log.
    fn log_end(&self) -> String {
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(3)..].join(" | ")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Tells if a nats-server greets on a port.
async fn greets(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).await?;
    Ok(&greeting == b"INFO")
}

/// Asks the system for a port that is free.
fn free_port() -> Result<u16, Error> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| io(&error))?;
    let address = listener.local_addr().map_err(|error| io(&error))?;
    Ok(address.port())
}

fn io(error: &std::io::Error) -> Error {
    Error::Server(error.to_string())
}
