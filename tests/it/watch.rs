//! `attune test --watch` runs again after every change, whatever the change is.

use std::fs;
use std::io::{BufRead, BufReader, pipe};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use expect_test::expect;

use crate::server::PATIENCE;

const POLICY: &str = "\
journey: hello
enter: { event: Signed Up }
steps: [ { wait: 10m }, { send: { channel: email, template: hello } } ]
---
test: a greeting
journey: hello
customer: { consent: granted }
timeline:
  - { at: 0m, event: Signed Up }
  - { at: 10m, expect: { sent: hello } }
";

#[test]
fn tests_run_again_when_a_file_changes_appears_breaks_and_is_right_again() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policies/hello.yaml");
    fs::create_dir(dir.path().join("policies")).unwrap();
    replace(&file, POLICY);
    let watch = Watch::start(dir.path());
    let mut said = vec![watch.run()];
    replace(&file, &POLICY.replace("10m }, {", "20m }, {"));
    said.push(watch.run());
    let more = "test: nothing by itself\ntimeline: [ { at: 1d, expect: { sent: none } } ]\n";
    replace(&dir.path().join("policies/more.yaml"), more);
    said.push(watch.run());
    replace(
        &file,
        &POLICY.replace("event: Signed Up }", "evnt: Signed Up }"),
    );
    said.push(watch.run());
    replace(&file, POLICY);
    said.push(watch.run());
    expect![[r#"
        1 test passed, 1 expectation
        ✗ a greeting
        1 of 1 test failed, 1 expectation
        ✗ a greeting
        1 of 2 tests failed, 2 expectations
        error: attune::unknown_key
          × unknown key `evnt`
          × nothing happens here and nothing is expected
          × unknown key `evnt`
        2 tests passed, 2 expectations"#]]
    .assert_eq(&said.join("\n"));
}

/// Writes a file at once, as editors do.
fn replace(file: &Path, text: &str) {
    let aside = file.with_extension("tmp");
    fs::write(&aside, text).unwrap();
    fs::rename(aside, file).unwrap();
}

/// A process that runs tests until it is killed.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    fn start(dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command.args(["test", "--watch"]).current_dir(dir);
        // Both go through one pipe, so that what is said first is read first.
        let (reader, writer) = pipe().unwrap();
        command.stderr(writer.try_clone().unwrap()).stdout(writer);
        let child = command.spawn().unwrap();
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut all = BufReader::new(reader).lines().map_while(Result::ok);
            all.try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// Returns what one run says, in short.
    fn run(&self) -> String {
        let mut said = Vec::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("there was no run after {said:?}"));
            if line.starts_with("waiting for a change") {
                return said.join("\n");
            }
            let is_short = ["✗", "error:", "  ×"];
            let is_summary = line.contains(" ms");
            if is_short.iter().any(|start| line.starts_with(start)) || is_summary {
                let line = line.split(" in ").next().unwrap_or_default();
                said.push(line.to_owned());
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}
