//! `attune plan` and `attune apply` against a real server.

use std::process::Command;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::reload::{connect, send, taken};
use crate::server::{Attune, Place};

/// A journey, and a second one.
const AFTER: &str = "\
journey: hello
enter: { event: Good, where: event.properties.item > 0 }
steps:
  - wait: 1h
  - send: { channel: email, template: hello, with: { name: profile.traits.name } }
---
journey: more
mode: shadow
enter: { event: Good }
steps: [ stop ]
---
channels: { email: { address: none, consent: not_required } }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_applied_once_and_refused_when_the_world_has_moved() {
    let place = Place::new("nats: { partitions: 1 }\n");
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    place.write("next/hello.yaml", AFTER);
    let run = |words: &[&str], expected: &Expect| {
        let (output, log) = run(&place, &attune, &nats.url(), words);
        expected.assert_eq(&format!("{output}{log}"));
    };
    let plan = ["plan", "next", "-o", "plan.json", "--detailed-exitcode"];
    run(
        &plan,
        &expect![[r#"
            exit Some(2)
            ~ journey hello
                    ...
                  Then
                +   0  wait 1 hour
                    0  send `hello` by email, with name

            + journey more
                + class marketing
                + mode shadow
                + It is a shadow: it runs and says what it would do, and nothing leaves.
                + A customer enters
                +   - on `Good`
                +   - one run at a time
                +   - while a run is in progress, another entry changes nothing
                +   - again as soon as a run has ended
                + Then
                +   0  leave (stopped)
                + It ends
                +   - behind the last step (completed)

            1 to add, 1 to change, 0 to remove.
            Nobody is on the way through what changes.

            Over 0 past events:                before  after
              entered                                  0      0
              open                                     0      0
              actions: 0 gained, 0 lost, 0 kept
              Both begin with empty profiles: what customers did, were told and consented to before the first of these events, and
              which journeys they were in, neither side knows. Compare the columns with each other, not with what really left.

            Revision 1 is live at <url>.
        "#]],
    );
    run(
        &["apply", "plan.json"],
        &expect![[r#"
        exit Some(0)
        revision 2 is live (bundle <bundle>)
          added: more
          changed: hello
    "#]],
    );
    run(
        &["apply", "plan.json"],
        &expect![[r#"
        exit Some(1)
        error: the plan was made against revision 1, and revision 2 is live: make a new plan
    "#]],
    );
    run(
        &plan,
        &expect![[r#"
            exit Some(0)
            Nothing changes.
            Nobody is on the way through what changes.
            Revision 2 is live at <url>.
        "#]],
    );
    let text = std::fs::read_to_string(place.path("plan.json")).unwrap();
    place.write("edited.json", text.replace("wait: 1h", "wait: 2h"));
    run(
        &["apply", "edited.json"],
        &expect![[r#"
        exit Some(1)
        error: the files in the plan are not those that it was made of: make a new plan
    "#]],
    );
    let offline = ["plan", "next", "--base", "policies", "-o", "offline.json"];
    let (output, _) = self::run(&place, &attune, &nats.url(), &offline);
    assert!(
        output.contains("1 to add, 1 to change, 0 to remove"),
        "{output}"
    );
    run(
        &["apply", "offline.json"],
        &expect![[r#"
        exit Some(1)
        error: the plan compares two folders: make one against a server, without `--base`
    "#]],
    );
    let (_, live) = attune.get("/v1/policies").await.unwrap();
    let live: Value = serde_json::from_str(&live).unwrap();
    assert_eq!(live["live"], 2, "one plan was applied, once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_who_is_on_the_way_and_what_becomes_of_them() {
    let place = Place::new("clock: event\nnats: { partitions: 2 }\n");
    let journey = |name: &str, steps: &str, more: &str| {
        format!("journey: {name}\nenter: {{ event: Good }}\nsteps: [ {steps} ]\n{more}---\n")
    };
    let channel = "channels: { email: { address: none, consent: not_required } }\n";
    let mail = "{ send: { channel: email, template: mail } }";
    let old_steps = format!("wait: 1d, {mail}, wait: 2d, {mail}, wait: 3d");
    let all = |old_steps: &str, more: &str| {
        let other = journey("other", "wait: 9d", "");
        format!("{}{other}{channel}", journey("hello", old_steps, more))
    };
    place.write("policies/hello.yaml", all(&old_steps, ""));
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let context = connect(&nats.url()).await;
    // Each comes later than the one before, so that they stand at different steps.
    for (n, day) in [5, 6, 7, 9].into_iter().enumerate() {
        let at = json!({ "timestamp": format!("2026-01-{day:02}T00:0{n}:00Z") });
        send(&context, &format!("c-{n}"), &at).await;
    }
    taken(&attune, 4).await;
    let next = "migrate: { steps: { '2': '0', '4': exit } }\n";
    place.write("next/hello.yaml", all(&format!("wait: 5h, {mail}"), next));
    let plan = ["plan", "next", "--no-effect", "-o", "plan.json"];
    let (output, log) = run(&place, &attune, &nats.url(), &plan);
    expect![[r#"
        exit Some(0)
        ~ journey hello
                ...
              Then
            -   0  wait 1 day
            -   1  send `mail` by email
            -   2  wait 2 days
            +   0  wait 5 hours
                3  send `mail` by email
            -   4  wait 3 days
              It ends
                - behind the last step (completed)
            + Of earlier revisions
            +   - who is in any of them at step 2 goes on at step 0
            +   - who is in any of them at step 4 leaves (migrated)

        0 to add, 1 to change, 0 to remove.

        People in flight in what changes (a journey with a `key` may have somebody several times):
          hello, revision <bundle>, live
               1 at step 0 (wait 1 day), which changes: stay on their revision to its end
               1 at step 2 (wait 2 days), which is removed: go on at step 0 (wait 5 hours) at their next event or wake-up
               2 at step 4 (wait 3 days), which is removed: leave (migrated) at their next event or wake-up

        Revision 1 is live at <url>.
    "#]].assert_eq(&format!("{output}{log}"));

    // That somebody has moved meanwhile is no reason to refuse.
    let at = json!({ "timestamp": "2026-01-09T12:00:00Z" });
    send(&context, "c-4", &at).await;
    taken(&attune, 5).await;
    let (output, log) = run(&place, &attune, &nats.url(), &["apply", "plan.json"]);
    assert!(output.contains("revision 2 is live"), "{output}{log}");
    let at = json!({ "timestamp": "2026-01-09T13:00:00Z" });
    for n in 0..4 {
        send(&context, &format!("c-{n}"), &at).await;
    }
    taken(&attune, 9).await;
    let (_, page) = attune.get("/v1/journeys/hello").await.unwrap();
    let page: Value = serde_json::from_str(&page).unwrap();
    assert_eq!(page["left"]["migrated"], 2, "{page}");
}

/// Runs a command here; returns its exit code with what it prints, and what it complains of.
fn run(place: &Place, attune: &Attune, nats_url: &str, words: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    command.current_dir(place.path("."));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ATTUNE_")) {
        command.env_remove(name);
    }
    command.envs([
        ("ATTUNE_URL", attune.url().as_str()),
        ("ATTUNE_NATS_URL", nats_url),
        ("ATTUNE_LOG", "error"),
    ]);
    let output = command.args(words).output().unwrap();
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).replace(&attune.url(), "<url>");
        let bundle = regex::Regex::new("[0-9a-f]{16}").unwrap();
        bundle.replace_all(&text, "<bundle>").into_owned()
    };
    let code = output.status.code();
    let printed = format!("exit {code:?}\n{}", text(&output.stdout));
    (printed, text(&output.stderr))
}
