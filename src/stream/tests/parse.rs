//! What is read from text: reply subjects, versions, pages, addresses.

use super::layout;
use crate::domain::Timestamp;
use crate::stream::jetstream::{Place, check, check_version, config, syncs_always_in};
use crate::stream::layout::Stream;
use crate::stream::{Connect, Layout};

#[test]
fn a_place_is_read_from_both_forms_of_a_reply_subject() {
    let place = Some(Place {
        seq: 1_234,
        nth: 56,
        stored_at: Timestamp::from_millis(1_700_000_000_123),
        pending: 7,
    });
    let short = "$JS.ACK.ATTUNE_EVENTS.attune-x.1.1234.56.1700000000123456789.7";
    assert_eq!(Place::parse(short), place);
    let long = "$JS.ACK.hub.ACCOUNT.ATTUNE_EVENTS.attune-x.1.1234.56.1700000000123456789.7.random";
    assert_eq!(Place::parse(long), place);
    let without_random =
        "$JS.ACK.hub.ACCOUNT.ATTUNE_EVENTS.attune-x.1.1234.56.1700000000123456789.7";
    assert_eq!(Place::parse(without_random), place);
    for bad in [
        "",
        "$JS.ACK.",
        "$JS.ACK.a.b.1.x.56.17.7",
        "$JS.ACK.a.b.1.2.3",
        "_INBOX.a.b.c.d.e.f.g",
    ] {
        assert_eq!(Place::parse(bad), None, "{bad}");
    }
}

#[test]
fn only_versions_without_the_duplicate_races_are_accepted() {
    for good in [
        "2.12.9",
        "2.12.10",
        "2.14.1",
        "2.15.0",
        "2.15.1-dev",
        "3.0.0",
    ] {
        assert_eq!(check_version(good), Ok(()), "{good}");
    }
    for bad in ["2.9.10", "2.12.8", "2.13.0", "2.13.99", "2.14.0", "", "dev"] {
        assert!(check_version(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_monitoring_page_tells_if_every_write_is_synced() {
    let page =
        |status, body| format!("HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{body}");
    let always = r#"{"jetstream":{"config":{"sync_interval":120000000000,"sync_always":true}}}"#;
    let lazy = r#"{"jetstream":{"config":{"sync_interval":120000000000}}}"#;
    assert_eq!(syncs_always_in(page("200 OK", always).as_bytes()), Ok(true));
    assert_eq!(syncs_always_in(page("200 OK", lazy).as_bytes()), Ok(false));
    assert!(syncs_always_in(page("404 Not Found", "").as_bytes()).is_err());
    assert!(syncs_always_in(page("200 OK", "{}").as_bytes()).is_err());
    assert!(syncs_always_in(b"nonsense").is_err());
}

#[test]
fn a_stream_with_other_settings_is_named_with_what_differs() {
    let want = config(&layout(), Stream::Events);
    assert_eq!(check(&want, &want), Ok(()));
    let mut have = config(&Layout::new("attune", 16).unwrap(), Stream::Events);
    let error = check(&want, &have).unwrap_err();
    assert!(error.starts_with(
        "stream ATTUNE_EVENTS was created with 16 partitions, the configuration says 8"
    ));
    have = want.clone();
    have.num_replicas = 3;
    have.subjects = vec!["other.>".into()];
    let error = check(&want, &have).unwrap_err();
    assert!(
        error.contains("`num_replicas` is 3, the configuration says 1"),
        "{error}"
    );
    assert!(
        error.contains("`subjects` is other.>, the configuration says attune.events.*"),
        "{error}"
    );
}

#[test]
fn a_prefix_is_a_plain_word() {
    for good in ["attune", "a", "prod-2"] {
        assert!(Layout::new(good, 1).is_ok(), "{good}");
    }
    for bad in ["", "Attune", "a.b", "a b", "a*", "a_b"] {
        assert!(Layout::new(bad, 1).is_err(), "{bad}");
    }
    assert!(Layout::new("attune", 0).is_err());
}

#[test]
fn secrets_are_not_shown() {
    let connect = Connect {
        urls: vec!["nats://me:hunter2@example.org:4222".into()],
        password: Some("hunter2".into()),
        token: Some("hunter2".into()),
        ..Connect::default()
    };
    let shown = format!("{connect:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("example.org:4222"), "{shown}");
}
