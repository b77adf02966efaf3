//! A whole installation: a real nats-server and the real binary as processes, on a directory of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use attune::store;
use attune::stream::server::{NatsServer, Settings, find_program};
use attune::stream::{Connect, JetStream, Layout, Options, Streams};

use super::workload::{PARTITIONS, POLICIES};

/// How often something is looked at.
pub const POLL: Duration = Duration::from_millis(10);

/// How long a server may take to stop when it is asked to.
const STOP_MAX: Duration = Duration::from_secs(15);

/// The processes and their directory.
pub struct Site {
    dir: tempfile::TempDir,
    /// The store's engine.
    pub engine: store::Engine,
    /// The server.
    pub nats: NatsServer,
    /// A connection to it.
    pub streams: JetStream,
    child: Option<Child>,
}

impl Site {
    /// Starts a nats-server, writes policies and the configuration, and makes the streams.
    pub async fn new(engine: store::Engine, payload_max: u32) -> Self {
        Self::with(engine, payload_max, &POLICIES).await
    }

    /// Does the same with policies of its own: file name and text.
    pub async fn with(engine: store::Engine, payload_max: u32, texts: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let program = find_program(root).expect("a nats-server (`make setup` installs it)");
        let mut settings = Settings::new(program, dir.path().join("nats"));
        settings.max_payload = payload_max;
        let nats = NatsServer::start(settings)
            .await
            .expect("nats-server starts");
        let options = Options {
            connect: Connect {
                urls: vec![nats.url()],
                ..Connect::default()
            },
            layout: Layout::new("attune", PARTITIONS).expect("a good layout"),
            ..Options::default()
        };
        let streams = JetStream::connect(options).await.expect("good options");
        streams.open().await.expect("the streams are made");
        let policies = dir.path().join("policies");
        fs::create_dir(&policies).expect("a folder");
        for (name, text) in texts {
            fs::write(policies.join(name), text).expect("a policy is written");
        }
        let site = Self {
            dir,
            engine,
            nats,
            streams,
            child: None,
        };
        fs::write(site.path("attune.yaml"), site.config()).expect("the configuration is written");
        site
    }

    fn config(&self) -> String {
        format!(
            "nats: {{ urls: [{:?}], partitions: {PARTITIONS} }}\n\
             store: {{ engine: {}, dir: {:?}, cache_mb: 16 }}\n\
             policies: {{ dir: policies, models: models }}\n\
             http: {{ listen: \"127.0.0.1:0\" }}\n\
             clock: event\n\
             limits: {{ checkpoint_every: 50ms, residents: 64, batch: 24, in_flight: 2048 }}\n",
            self.nats.url(),
            self.engine.name(),
            self.data(),
        )
    }

    /// Returns a path in the directory of the installation; the configuration is `attune.yaml`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns the directory of the store.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Starts the server; `crash_at` names the point at which it kills itself.
    pub fn start(&mut self, crash_at: Option<&str>) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("attune.log"))
            .expect("the log is written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command
            .args(["serve", "--config"])
            .arg(self.path("attune.yaml"))
            // Decisions name the policy file as it was given: relative, so that it is the same for all sites.
            .current_dir(self.dir.path())
            .env("ATTUNE_LOG", "warn")
            .env_remove("ATTUNE_CRASH_AT")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(point) = crash_at {
            command.env("ATTUNE_CRASH_AT", point);
        }
        self.child = Some(command.spawn().expect("the binary starts"));
    }

    /// Kills the server as `kill -9` does; it must have been running.
    pub fn kill9(&mut self) {
        let mut child = self.child.take().expect("the server was started");
        let ended = child.try_wait().expect("a child can be asked");
        assert!(ended.is_none(), "it ended by itself: {}", self.log());
        child.kill().expect("a child can be killed");
        child.wait().expect("a child can be waited for");
    }

    /// Waits until the server has killed itself.
    pub async fn crashed(&mut self, point: &str) {
        use std::os::unix::process::ExitStatusExt;
        let status = self.ended(Duration::from_secs(30)).await;
        let status = status.unwrap_or_else(|| panic!("`{point}` was not passed: {}", self.log()));
        let abort = 6;
        assert_eq!(status.signal(), Some(abort), "{point}: {}", self.log());
    }

    /// Asks the server to stop and waits until it did.
    pub async fn stop(&mut self) {
        self.alive();
        let id = self
            .child
            .as_ref()
            .map(Child::id)
            .expect("the server was started");
        let sent = Command::new("kill").arg(id.to_string()).status();
        assert!(sent.expect("`kill` can be run").success());
        let status = self.ended(STOP_MAX).await;
        let status = status.unwrap_or_else(|| panic!("it does not stop: {}", self.log()));
        assert!(status.success(), "it stopped with {status}: {}", self.log());
    }

    async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let since = Instant::now();
        while since.elapsed() < within {
            let child = self.child.as_mut().expect("the server was started");
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                self.child = None;
                return Some(status);
            }
            tokio::time::sleep(POLL).await;
        }
        None
    }

    /// Fails if the server has ended.
    pub fn alive(&mut self) {
        let child = self.child.as_mut().expect("the server was started");
        let ended = child.try_wait().expect("a child can be asked");
        assert!(ended.is_none(), "it ended by itself: {}", self.log());
    }

    /// Returns the end of the server's log.
    pub fn log(&self) -> String {
        let log = fs::read_to_string(self.path("attune.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only when it has ended already.
            child.kill().ok();
            child.wait().ok();
        }
    }
}
