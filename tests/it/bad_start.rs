//! Starts that must fail, and what is said then; disks and servers that fail later.

use std::fs;
use std::path::Path;
use std::process::Command;

use expect_test::{Expect, expect};

use crate::server::Place;

/// Nobody listens here.
const NOWHERE: &str = "nats://127.0.0.1:1";

#[tokio::test]
async fn a_bad_configuration_is_refused_with_a_reason() {
    let file = |content: &str| Place::new(content);
    fails(&file("nats: { patitions: 2 }"), &expect![[r#"
        exit 1
        error: the configuration `attune.yaml`: line 1 column 9: unknown field `patitions`, expected one of urls, prefix, partitions, replicas, user, password, token, credentials, tls, tls_roots, varz_url, require_durability
         --> <input>:1:9
          |
        1 | nats: { patitions: 2 }
          |         ^ unknown field `patitions`, expected one of urls, prefix, partitions, replicas, user, password, token, credentials, tls, tls_roots, varz_url, require_durability
    "#]]).await;
    fails(
        &file("nats: { partitions: -2 }"),
        &expect![[r#"
        exit 1
        error: the configuration `attune.yaml`: line 1 column 21: invalid u16
         --> <input>:1:21
          |
        1 | nats: { partitions: -2 }
          |                     ^ invalid u16
    "#]],
    )
    .await;
    fails(
        &file("nats: { partitions: 0 }"),
        &expect![[r#"
        exit 1
        error: there must be at least one partition
    "#]],
    )
    .await;
    fails(
        &file("nats: { prefix: a.b }"),
        &expect![[r#"
        exit 1
        error: prefix `a.b` must be 1 to 32 of `a-z`, `0-9` and `-`
    "#]],
    )
    .await;
    let place = file("");
    fails_as(&place, place.command("http://nats.example"), &expect![[r#"
        exit 1
        error: `http://nats.example` is not an address of a NATS server: invalid scheme for NATS server URL: http
    "#]]).await;
    fails_as(&place, place.command("nats://a b:4222"), &expect![[r#"
        exit 1
        error: `nats://a b:4222` is not an address of a NATS server: NATS server URL is invalid: invalid domain character
    "#]]).await;
    fails_as(
        &place,
        place.command(""),
        &expect![[r#"
        exit 1
        error: no address of a NATS server is given
    "#]],
    )
    .await;
    fails(&file("nats: { credentials: nowhere.creds }"), &expect![[r#"
        exit 1
        error: cannot read the credentials file `nowhere.creds`: loading creds file 'nowhere.creds': No such file or directory (os error 2)
    "#]]).await;
    fails(&file("store: { engine: rocksdb }"), &expect![[r#"
        exit 1
        error: the configuration `attune.yaml`: line 1 column 18: unknown variant `rocksdb`, expected one of sled, fjall, memory
         --> <input>:1:18
          |
        1 | store: { engine: rocksdb }
          |                  ^ unknown variant `rocksdb`, expected one of sled, fjall, memory
    "#]]).await;
    fails(&file("limits: { checkpoint_every: soon }"), &expect![[r#"
        exit 1
        error: the configuration `attune.yaml`: line 1 column 29: `soon` is not a duration, write for example `45m`, `1h30m` or `3d`
         --> <input>:1:29
          |
        1 | limits: { checkpoint_every: soon }
          |                             ^ `soon` is not a duration, write for example `45m`, `1h30m` or `3d`
    "#]]).await;
    fails(
        &file("limits: { batch: 0 }"),
        &expect![[r#"
        exit 1
        error: `limits.batch` is 0, at least 1 is expected
    "#]],
    )
    .await;
    fails(
        &file("limits: { in_flight: 1023 }"),
        &expect![[r#"
        exit 1
        error: `limits.in_flight` is 1023, at least 1024 is expected
    "#]],
    )
    .await;
    fails(
        &file("limits: { residents: 0 }"),
        &expect![[r#"
        exit 1
        error: `limits.residents` is 0, at least 1 is expected
    "#]],
    )
    .await;
    fails(
        &file("limits: { event_kb: 0 }"),
        &expect![[r#"
        exit 1
        error: `limits.event_kb` is 0, at least 1 is expected
    "#]],
    )
    .await;
    fails(
        &file("store: { cache_mb: 99999999999999999 }"),
        &expect![[r#"
        exit 1
        error: `store.cache_mb` is 99999999999999999, at most 1048576 is expected
    "#]],
    )
    .await;
    fails(
        &file("- a list"),
        &expect![[r#"
        exit 1
        error: the configuration `attune.yaml`: line 1 column 1: expected mapping start
         --> <input>:1:1
          |
        1 | - a list
          | ^ expected mapping start
    "#]],
    )
    .await;
    fails(
        &file("nats: [unclosed"),
        &expect![[r#"
        exit 1
        error: the configuration `attune.yaml`: line 1 column 7: expected mapping start
         --> <input>:1:7
          |
        1 | nats: [unclosed
          |       ^ expected mapping start
    "#]],
    )
    .await;
    let place = Place::new("");
    fs::remove_file(place.path("attune.yaml")).unwrap();
    fails(
        &place,
        &expect![[r#"
        exit 1
        error: cannot read the configuration `attune.yaml`: No such file or directory (os error 2)
    "#]],
    )
    .await;
}

#[tokio::test]
async fn bad_policies_are_refused_with_every_mistake() {
    let place = Place::new("");
    place.write(
        "policies/hello.yaml",
        "\
journey: hello
enter: { event: Good, wher: true }
steps:
  - send: { chanel: email, template: hello }
  - wait: soon
",
    );
    fails(&place, &expect![[r#"
        exit 1
        error: attune::unknown_key

          × unknown key `wher` in `enter`, did you mean `where`?
           ╭─[policies/hello.yaml:2:23]
         1 │ journey: hello
         2 │ enter: { event: Good, wher: true }
           ·                       ──┬─
           ·                         ╰── here
         3 │ steps:
           ╰────
          help: keys of `enter` are `event`, `segment`, `schedule`, `absent`, `where`, `unless`, `key`,
                `reentry`, `on_repeat`, `max_age`

        attune::unknown_key

          × unknown key `chanel` in `send`, did you mean `channel`?
           ╭─[policies/hello.yaml:4:13]
         3 │ steps:
         4 │   - send: { chanel: email, template: hello }
           ·             ───┬──
           ·                ╰── here
         5 │   - wait: soon
           ╰────
          help: keys of `send` are `channel`, `template`, `with`, `class`, `purpose`, `quiet_hours`,
                `on_block`

        attune::bad_duration

          × `soon` is not a duration, write for example `45m`, `1h30m` or `3d`
           ╭─[policies/hello.yaml:5:11]
         4 │   - send: { chanel: email, template: hello }
         5 │   - wait: soon
           ·           ──┬─
           ·             ╰── here
           ╰────
          help: units are `ms`, `s`, `m`, `h`, `d`, `w`: `45m`, `1h30m`, `3d`

    "#]]).await;
    fs::remove_dir_all(place.path("policies")).unwrap();
    fails(
        &place,
        &expect![[r#"
        exit 1
        error: there is no file or folder `policies`
    "#]],
    )
    .await;
    fs::create_dir(place.path("policies")).unwrap();
    fails(
        &place,
        &expect![[r#"
        exit 1
        error: there is no policy file (*.yaml) in `policies`
    "#]],
    )
    .await;
    place.write("policies/hello.yaml", b"\xff\xfe\0\0");
    fails(
        &place,
        &expect![[r#"
            exit 1
            error: attune::not_utf8

              × the file is not UTF-8
               ╭─[policies/hello.yaml:1:1]
             1 │ ��??
               · ┬
               · ╰── no letter
               ╰────
              help: save it as UTF-8; is it a policy file at all?

        "#]],
    )
    .await;
}

#[test]
fn a_folder_of_models_that_is_not_there_is_named() {
    let place = Place::new("");
    place.write(
        "policies/scored.yaml",
        "journey: scored\nenter: { event: Good }\nsteps:\n  - score: { model: intent, as: buys }\n",
    );
    let check = |models: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command.args(["check", "policies"]).args(models);
        let output = command.current_dir(place.path("")).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let missing = "there is no folder of models `nowhere`";
    assert!(check(&["--models", "nowhere"]).contains(missing));
    // Who names none need not have one.
    assert!(!check(&[]).contains("there is no folder of models"));
}

#[tokio::test]
async fn bad_models_are_refused_with_a_reason() {
    let place = place_with_model();
    let with_library = |path: &str| {
        let mut command = place.command(NOWHERE);
        command.env("ORT_DYLIB_PATH", path);
        command
    };
    fails_as(&place, with_library("nowhere.so"), &expect![[r#"
        exit 1
        error: ONNX Runtime was not found at `nowhere.so`, which ORT_DYLIB_PATH names: run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)
    "#]]).await;
    fails_as(&place, with_library("attune.yaml"), &expect![[r#"
        exit 1
        error: ONNX Runtime at `<dir>/attune.yaml` cannot be used: failed to load from `<dir>/attune.yaml`: dlopen failed; run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)
    "#]]).await;

    let golden = fs::read(place.path("models/purchase-intent/golden.json")).unwrap();
    place.write(
        "models/purchase-intent/golden.json",
        &golden[..golden.len() / 2],
    );
    fails(&place, &expect![[r#"
        exit 1
        error: cannot read `models/purchase-intent/golden.json`: EOF while parsing a string at line 8 column 4
    "#]]).await;

    let place = place_with_model();
    let mut model = fs::read(place.path("models/purchase-intent/model.onnx")).unwrap();
    place.write(
        "models/purchase-intent/model.onnx",
        &model[..model.len() / 2],
    );
    fails(&place, &expect![[r#"
        exit 1
        error: model `purchase-intent`: `models/purchase-intent/model.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
    "#]]).await;
    let half = model.len() / 2;
    model[half..].fill(0xff);
    place.write("models/purchase-intent/model.onnx", &model);
    fails(&place, &expect![[r#"
        exit 1
        error: model `purchase-intent`: `models/purchase-intent/model.onnx` is not a model that ONNX Runtime can load: Failed to load model because protobuf parsing failed.
    "#]]).await;
    place.write("models/purchase-intent/model.onnx", "");
    fails(&place, &expect![[r#"
        exit 1
        error: model `purchase-intent`: cannot read `models/purchase-intent/model.onnx`: the file is empty
    "#]]).await;
    fs::remove_file(place.path("models/purchase-intent/model.onnx")).unwrap();
    fails(&place, &expect![[r#"
        exit 1
        error: model `purchase-intent`: cannot read `models/purchase-intent/model.onnx`: No such file or directory (os error 2)
    "#]]).await;
}

/// Makes a place with the project's model in it, and a policy that uses it.
fn place_with_model() -> Place {
    let place = Place::new("");
    place.write(
        "policies/scored.yaml",
        "\
journey: scored
enter: { event: Good }
steps:
  - score: { model: purchase-intent, as: buys }
  - send: { channel: email, template: scored }
",
    );
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/purchase-intent");
    for name in ["model.yaml", "model.onnx", "golden.json"] {
        let to = format!("models/purchase-intent/{name}");
        place.write(&to, fs::read(from.join(name)).unwrap());
    }
    place
}

#[tokio::test]
async fn a_store_that_is_not_ours_to_open_is_refused() {
    let place = Place::new("nats: { partitions: 1 }");
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let second = Place::new(&format!("store: {{ dir: {:?} }}", place.path("data")));
    let locked = second.fails(second.command(NOWHERE)).await;
    let locked = locked.replace(&place.path("").display().to_string(), "<other>/");
    expect![[r#"
        exit 1
        error: cannot open the store in `<other>/data`: another process uses the store in `<other>/data`
    "#]].assert_eq(&locked);
    drop(attune);

    place.write("attune.yaml", "store: { engine: fjall }");
    fails(&place, &expect![[r#"
        exit 1
        error: cannot open the store in `data`: the store in `data` was made by the engine `sled`, not by `fjall`
    "#]]).await;
    place.write("attune.yaml", "store: { dir: attune.yaml }");
    fails(&place, &expect![[r#"
        exit 1
        error: cannot open the store in `attune.yaml`: cannot read or write the store: File exists (os error 17)
    "#]]).await;
    place.write("attune.yaml", "store: { dir: /proc/attune }");
    fails(&place, &expect![[r#"
        exit 1
        error: cannot open the store in `/proc/attune`: cannot read or write the store: No such file or directory (os error 2)
    "#]]).await;
}

#[tokio::test]
async fn a_port_in_use_is_refused() {
    let place = Place::new("");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = |listen: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        place.prepare(&mut command);
        command.args(["serve", "--nats", NOWHERE, "--listen", listen]);
        command
    };
    let failed = place.fails(serve(&address)).await;
    expect![[r#"
        exit 1
        error: cannot listen on `<taken>`: Address already in use (os error 98)
    "#]]
    .assert_eq(&failed.replace(&address, "<taken>"));
    fails_as(
        &place,
        serve("nowhere"),
        &expect![[r#"
        exit 1
        error: cannot listen on `nowhere`: invalid socket address
    "#]],
    )
    .await;
}

async fn fails(place: &Place, expected: &Expect) {
    fails_as(place, place.command(NOWHERE), expected).await;
}

async fn fails_as(place: &Place, command: Command, expected: &Expect) {
    expected.assert_eq(&place.fails(command).await);
}
