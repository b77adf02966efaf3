//! A real `attune serve` on a real nats-server, for tests of the whole.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use attune::stream::server::{NatsServer, Settings, find_program};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take; far more than it does on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const POLL: Duration = Duration::from_millis(10);

/// A journey that answers every `Good` with a mail, that has an `item`.
pub const POLICY: &str = "\
journey: hello
enter: { event: Good, where: event.properties.item > 0 }
steps:
  - send: { channel: email, template: hello, with: { name: profile.traits.name } }
---
channels: { email: { address: none, consent: not_required } }
";

/// A folder with policies, a configuration and a store, and who runs in it.
pub struct Place {
    dir: TempDir,
}

impl Place {
    /// Makes one with [`POLICY`] and a configuration of these lines.
    pub fn new(config: &str) -> Self {
        let place = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        place.write("policies/hello.yaml", POLICY);
        place.write("attune.yaml", config);
        place
    }

    /// Returns a path below.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Starts a nats-server below that takes messages of 16 MB.
    pub async fn nats(&self, port: Option<u16>) -> NatsServer {
        self.nats_that_takes(16 << 20, port).await
    }

    /// Starts a nats-server below that takes messages of so many bytes.
    pub async fn nats_that_takes(&self, max_payload: u32, port: Option<u16>) -> NatsServer {
        let program = find_program(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        let settings = Settings {
            port,
            max_payload,
            ..Settings::new(program, self.path("nats"))
        };
        NatsServer::start(settings).await.unwrap()
    }

    /// Returns the command that serves here.
    pub fn command(&self, nats_url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        self.prepare(&mut command);
        command.args(Self::arguments(nats_url));
        command
    }

    /// Returns the command that serves here and may write files of `kilobytes` at most.
    pub fn command_with_small_files(&self, nats_url: &str, kilobytes: u32) -> Command {
        let mut command = Command::new("bash");
        self.prepare(&mut command);
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_attune")]);
        command.args(Self::arguments(nats_url));
        command
    }

    /// Lets a command run here, with our log and without the settings of our own environment.
    pub fn prepare(&self, command: &mut Command) {
        let log = File::create(self.path("attune.log")).unwrap();
        command.current_dir(self.dir.path()).stderr(log);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        for (name, _) in std::env::vars() {
            if name.starts_with("ATTUNE_") {
                command.env_remove(name);
            }
        }
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/lib/libonnxruntime.so");
        if std::env::var_os("ORT_DYLIB_PATH").is_none() {
            command.env("ORT_DYLIB_PATH", library);
        }
    }

    fn arguments(nats_url: &str) -> [String; 7] {
        let words = ["serve", "--config", "attune.yaml", "--nats", nats_url];
        let [serve, config, file, nats, url] = words.map(str::to_owned);
        [
            serve,
            config,
            file,
            nats,
            url,
            "--listen".into(),
            "127.0.0.1:0".into(),
        ]
    }

    /// Starts a server here and waits until it is ready.
    pub async fn serve(&self, nats_url: &str) -> Attune {
        let mut attune = self.start(self.command(nats_url)).await;
        attune.ready().await;
        attune
    }

    /// Starts a command here.
    pub fn spawn(&self, command: &mut Command) -> Attune {
        Attune {
            child: command.spawn().unwrap(),
            log: self.path("attune.log"),
            address: String::new(),
        }
    }

    /// Starts a server here and waits until its API listens.
    pub async fn start(&self, mut command: Command) -> Attune {
        let mut attune = self.spawn(&mut command);
        let start = Instant::now();
        loop {
            let log = attune.log();
            let listens = log.lines().find(|line| line.contains("the API listens"));
            if let Some((_, address)) = listens.and_then(|line| line.split_once("address=")) {
                attune.address = address.trim().to_owned();
                return attune;
            }
            let ended = attune.child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended at the start: {log}");
            assert!(
                start.elapsed() < PATIENCE,
                "the server does not start: {log}"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Runs a command that must end by itself; returns its exit code and its last words.
    pub async fn fails(&self, mut command: Command) -> String {
        let mut attune = self.spawn(command.env("ATTUNE_LOG", "error"));
        let status = attune.ended().await;
        let log = attune.log();
        assert!(!log.contains("panicked"), "{log}");
        let dir = self.dir.path().display().to_string();
        let code = status
            .code()
            .map_or("a signal".into(), |code| code.to_string());
        format!("exit {code}\n{}", log.replace(&dir, "<dir>"))
    }
}

/// A server that runs; it ends when this is dropped.
pub struct Attune {
    child: Child,
    log: PathBuf,
    address: String,
}

impl Attune {
    /// Returns what it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Returns the address of its API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until its API listens; returns how it ended before.
    pub async fn listens_or_ended(&mut self) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            let log = self.log();
            let listens = log.lines().find(|line| line.contains("the API listens"));
            if let Some((_, address)) = listens.and_then(|line| line.split_once("address=")) {
                self.address = address.trim().to_owned();
                return None;
            }
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() {
                return ended;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the server does not start: {log}"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until it is ready; returns how it ended before.
    pub async fn ready_or_ended(&mut self) -> Option<ExitStatus> {
        if let Some(status) = self.listens_or_ended().await {
            return Some(status);
        }
        let start = Instant::now();
        while self
            .get("/readyz")
            .await
            .is_none_or(|(status, _)| status != 200)
        {
            let ended = self.child.try_wait().unwrap();
            if ended.is_some() {
                return ended;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the server is not ready: {}",
                self.log()
            );
            tokio::time::sleep(POLL).await;
        }
        None
    }

    /// Waits until it has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "the server does not end: {}",
                self.log()
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until it is ready.
    pub async fn ready(&mut self) {
        let ended = self.ready_or_ended().await;
        assert!(ended.is_none(), "the server ended: {}", self.log());
    }

    /// Asks its API; returns status and body, nothing when it is gone.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        self.call("GET", path, "").await
    }

    /// Posts JSON to its API; returns status and body, nothing when it is gone.
    pub async fn post(&self, path: &str, body: &Value) -> Option<(u16, String)> {
        self.call("POST", path, &body.to_string()).await
    }

    async fn call(&self, method: &str, path: &str, body: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        let (host, length) = (&self.address, body.len());
        let request = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split_whitespace().nth(1)?;
        Some((status.parse().ok()?, body.to_owned()))
    }
}

impl Drop for Attune {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Returns an event that leads to an action, with other fields on top.
pub fn good(customer: &str, fields: &Value) -> Value {
    let mut event = json!({
        "type": "track", "userId": customer, "event": "Good", "properties": { "item": 1 },
    });
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    event
}
