//! A backtest that is killed or interrupted goes on with the same command, and writes the same bytes.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use attune::store::Engine;
use expect_test::expect;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::process::Site as Installed;
use crate::{backtest_stream, rule_r};

/// How long the first checkpoint may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// So often the sessions of OTTO are repeated, each time by others and later.
const ROUNDS: u64 = 6;

#[test]
fn a_killed_backtest_goes_on_and_writes_the_same_bytes() {
    let site = Site::new();
    for more in [
        &[][..],
        &["--against", "before.yaml", "--customers-max", "7"],
    ] {
        let whole = site.whole(more);
        let mut n_kills = 0;
        // Each part gets past its first checkpoint, so it comes to an end.
        while site.run_until_checkpoint(more, "KILL") {
            n_kills += 1;
        }
        assert!(n_kills >= 3, "killed {n_kills} times only");
        assert_eq!(site.ended(), whole, "{more:?}");
    }
}

#[test]
fn an_interrupted_backtest_keeps_where_it_is() {
    let site = Site::new();
    let whole = site.whole(&[]);
    let mut n_interrupted = 0;
    for signal in ["INT", "TERM"].into_iter().cycle() {
        if !site.run_until_checkpoint(&[], signal) {
            break;
        }
        n_interrupted += 1;
    }
    assert!(n_interrupted >= 2, "interrupted {n_interrupted} times only");
    assert_eq!(site.ended(), whole);
}

#[test]
fn a_checkpoint_of_something_else_is_refused_and_nothing_is_touched() {
    let site = Site::new();
    assert!(site.run_until_checkpoint(&[], "INT"));
    let (out, kept) = (site.read("out.jsonl"), fs::read(site.path("kept")).unwrap());
    let other = site.command(&["--customer", "otto-3-0"]).output().unwrap();
    assert_eq!(other.status.code(), Some(1));
    let said = String::from_utf8(other.stderr).unwrap();
    let said: Vec<&str> = said
        .lines()
        .map(|line| line.split(" policies").next().unwrap())
        .collect();
    expect![[r#"
        error: the checkpoint is of another backtest; remove it to begin anew
          it is of:
          this is:"#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(
        (site.read("out.jsonl"), fs::read(site.path("kept")).unwrap()),
        (out, kept.clone())
    );

    fs::write(site.path("out.jsonl"), "").unwrap();
    let short = site.command(&[]).output().unwrap();
    assert_eq!(short.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&short.stderr).contains("has 0 bytes, the checkpoint says"));

    fs::write(site.path("kept"), &kept[..kept.len() / 2]).unwrap();
    let damaged = site.command(&[]).output().unwrap();
    assert_eq!(damaged.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("the checkpoint"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_range_of_the_stream_goes_on_to_where_it_ended() {
    let installed = Installed::with(Engine::Sled, 1 << 20, &[]).await;
    let events = events();
    let half: Vec<&str> = events.lines().step_by(2).collect();
    backtest_stream::fill(&installed, &half.join("\n")).await;
    let config = installed.path("attune.yaml").display().to_string();
    let mut site = Site::new();
    site.source = vec!["--config".into(), config, "--since".into(), "1h".into()];
    let whole = site.whole(&[]);
    let mut n_kills = 0;
    while site.run_until_checkpoint(&[], "KILL") {
        n_kills += 1;
        // What comes later is of no concern.
        let late = r#"{"type":"track","userId":"late","event":"Product Added","properties":{"product_id":"1"}}"#;
        backtest_stream::publish(&installed, 1_000_000 + n_kills, late).await;
    }
    assert!(n_kills >= 2, "killed {n_kills} times only");
    assert_eq!(site.ended(), whole);
}

/// Policies and events in a folder of their own.
struct Site {
    folder: TempDir,
    /// The flags that name the events.
    source: Vec<String>,
}

impl Site {
    fn new() -> Self {
        let site = Self {
            folder: TempDir::new().unwrap(),
            source: vec!["--events".into(), "events.jsonl".into()],
        };
        fs::write(site.path("after.yaml"), rule_r::policy("1h", "item")).unwrap();
        fs::write(site.path("before.yaml"), rule_r::policy("30m", "item")).unwrap();
        fs::write(site.path("events.jsonl"), events()).unwrap();
        site
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command.current_dir(self.folder.path());
        command
            .args(["backtest", "--policies", "after.yaml"])
            .args(&self.source);
        command.args([
            "--out",
            "out.jsonl",
            "--checkpoint",
            "kept",
            "--checkpoint-every",
            "1ms",
        ]);
        command
            .args(more)
            .env_remove("ATTUNE_CONFIG")
            .env_remove("ATTUNE_NATS_URL");
        command
    }

    /// Runs without a break: the lines and the counts.
    fn whole(&self, more: &[&str]) -> (String, Value) {
        let output = self.command(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let whole = (self.read("out.jsonl"), counts(&output.stdout));
        assert!(whole.0.lines().count() > 50);
        fs::remove_file(self.path("out.jsonl")).unwrap();
        whole
    }

    /// Runs until there is a new checkpoint and sends a signal; tells if that was before the end.
    fn run_until_checkpoint(&self, more: &[&str], signal: &str) -> bool {
        let before = fs::read(self.path("kept")).ok();
        let mut command = self.command(more);
        let stdout = fs::File::create(self.path("stdout")).unwrap();
        let mut child = command
            .stdout(stdout)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while fs::read(self.path("kept")).ok() == before || !self.path("kept").exists() {
            assert!(since.elapsed() < PATIENCE, "there is no checkpoint");
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        send(&child, signal);
        let status = child.wait().unwrap();
        match signal {
            "KILL" => status.signal() == Some(9),
            _ => {
                assert!(status.success() || status.code() == Some(130), "{status}");
                !status.success()
            }
        }
    }

    /// What was written in all parts.
    fn ended(&self) -> (String, Value) {
        assert!(!self.path("kept").exists(), "the checkpoint is still there");
        let out = self.read("out.jsonl");
        fs::remove_file(self.path("out.jsonl")).unwrap();
        (out, counts(self.read("stdout").as_bytes()))
    }
}

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.unwrap().success() || signal != "KILL");
}

/// What does not depend on the speed of the machine.
fn counts(json: &[u8]) -> Value {
    let mut counts: Value = serde_json::from_slice(json).unwrap();
    let clear = |of: &mut Value| {
        if let Some(of) = of.as_object_mut() {
            of.remove("seconds");
            of.remove("events_per_second");
        }
    };
    clear(&mut counts);
    clear(&mut counts["before"]);
    clear(&mut counts["after"]);
    counts
}

/// The sessions again and again, each round by other customers and a month later.
fn events() -> String {
    let otto = rule_r::otto();
    let mut text = String::new();
    for round in 0..ROUNDS {
        for line in otto.lines() {
            let mut event: Value = serde_json::from_str(line).unwrap();
            for name in ["userId", "messageId"] {
                event[name] = format!("{}-{round}", event[name].as_str().unwrap()).into();
            }
            let at = event["timestamp"].as_str().unwrap().to_owned();
            let year = format!("{}", 2022 + round);
            event["timestamp"] = at.replacen("2022", &year, 1).into();
            writeln!(text, "{event}").unwrap();
        }
    }
    text
}
