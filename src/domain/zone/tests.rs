//! Clock changes from a table: what the clocks of a zone show, and when.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{Source, WallTime, Weekdays, Zone};
use crate::domain::segment::{self, Depth, Received};
use crate::domain::{CustomerId, Duration, Fact, Profile, Timestamp, Value};

/// Asks when the clocks show something; lines are `ZONE DATE TIME`, the date being the one on which one asks at its start.
fn check(table: &str, expected: &Expect) {
    let mut out = String::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [name, date, time] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let zone = Zone::parse(name).unwrap();
        let start = zone.start_of_day(zone.read(date).unwrap());
        let time = WallTime::parse(time).unwrap();
        let next = zone.next(start, time, Weekdays::ALL).unwrap();
        let shown = zone.local(next);
        writeln!(
            out,
            "{line}: {} {:02}-{:02} {:02}:{:02}",
            brief(next),
            shown.month,
            shown.day,
            shown.hour,
            shown.minute
        )
        .unwrap();
    }
    expected.assert_eq(&out);
}

fn brief(at: Timestamp) -> String {
    at.to_string().replace(":00.000Z", "Z")
}

#[test]
fn a_time_that_a_clock_change_leaves_out_is_the_first_moment_after_it() {
    check(
        "
        America/New_York 2026-03-08 02:30
        Europe/Berlin 2026-03-29 02:00
        Europe/Berlin 2026-03-29 02:59
        Australia/Lord_Howe 2026-10-04 02:15
        Africa/Casablanca 2026-03-22 02:30
        America/Santiago 2026-09-06 00:20
        America/St_Johns 2026-03-08 02:01
        America/St_Johns 2006-04-02 00:01
        Asia/Kathmandu 1986-01-01 00:10
        Asia/Beirut 2026-03-29 00:00
        America/Nuuk 2025-03-29 23:30
        ",
        &expect![[r#"
            America/New_York 2026-03-08 02:30: 2026-03-08T07:00Z 03-08 03:00
            Europe/Berlin 2026-03-29 02:00: 2026-03-29T01:00Z 03-29 03:00
            Europe/Berlin 2026-03-29 02:59: 2026-03-29T01:00Z 03-29 03:00
            Australia/Lord_Howe 2026-10-04 02:15: 2026-10-03T15:30Z 10-04 02:30
            Africa/Casablanca 2026-03-22 02:30: 2026-03-22T02:00Z 03-22 03:00
            America/Santiago 2026-09-06 00:20: 2026-09-06T04:00Z 09-06 01:00
            America/St_Johns 2026-03-08 02:01: 2026-03-08T05:30Z 03-08 03:00
            America/St_Johns 2006-04-02 00:01: 2006-04-02T03:31Z 04-02 01:01
            Asia/Kathmandu 1986-01-01 00:10: 1985-12-31T18:30Z 01-01 00:15
            Asia/Beirut 2026-03-29 00:00: 2026-03-28T22:00Z 03-29 01:00
            America/Nuuk 2025-03-29 23:30: 2025-03-30T01:00Z 03-30 00:00
        "#]],
    );
}

#[test]
fn of_a_time_that_is_shown_twice_the_first_one_counts() {
    check(
        "
        America/New_York 2026-11-01 01:30
        Europe/Berlin 2026-10-25 02:30
        Australia/Lord_Howe 2026-04-05 01:45
        Africa/Casablanca 2026-02-15 02:30
        America/Santiago 2026-04-04 23:30
        America/St_Johns 2026-11-01 01:30
        America/Havana 2026-11-01 00:00
        America/Nuuk 2025-10-25 23:30
        ",
        &expect![[r#"
            America/New_York 2026-11-01 01:30: 2026-11-01T05:30Z 11-01 01:30
            Europe/Berlin 2026-10-25 02:30: 2026-10-25T00:30Z 10-25 02:30
            Australia/Lord_Howe 2026-04-05 01:45: 2026-04-04T14:45Z 04-05 01:45
            Africa/Casablanca 2026-02-15 02:30: 2026-02-15T01:30Z 02-15 02:30
            America/Santiago 2026-04-04 23:30: 2026-04-05T02:30Z 04-04 23:30
            America/St_Johns 2026-11-01 01:30: 2026-11-01T04:00Z 11-01 01:30
            America/Havana 2026-11-01 00:00: 2026-11-01T04:00Z 11-01 00:00
            America/Nuuk 2025-10-25 23:30: 2025-10-26T00:30Z 10-25 23:30
        "#]],
    );
}

#[test]
fn on_other_days_the_clocks_show_it_at_their_offset() {
    check(
        "
        Asia/Kathmandu 2026-01-05 09:00
        Pacific/Apia 2026-01-05 09:00
        Australia/Lord_Howe 2026-01-05 09:00
        Australia/Lord_Howe 2026-07-05 09:00
        America/St_Johns 2026-01-05 09:00
        Africa/Casablanca 2026-01-05 09:00
        UTC 2026-01-05 09:00
        Europe/Berlin 9000-07-01 09:00
        ",
        &expect![[r#"
            Asia/Kathmandu 2026-01-05 09:00: 2026-01-05T03:15Z 01-05 09:00
            Pacific/Apia 2026-01-05 09:00: 2026-01-04T20:00Z 01-05 09:00
            Australia/Lord_Howe 2026-01-05 09:00: 2026-01-04T22:00Z 01-05 09:00
            Australia/Lord_Howe 2026-07-05 09:00: 2026-07-04T22:30Z 07-05 09:00
            America/St_Johns 2026-01-05 09:00: 2026-01-05T12:30Z 01-05 09:00
            Africa/Casablanca 2026-01-05 09:00: 2026-01-05T08:00Z 01-05 09:00
            UTC 2026-01-05 09:00: 2026-01-05T09:00Z 01-05 09:00
            Europe/Berlin 9000-07-01 09:00: 9000-07-01T07:00Z 07-01 09:00
        "#]],
    );
}

#[test]
fn a_day_that_a_zone_left_out_has_no_times() {
    let apia = Zone::parse("Pacific/Apia").unwrap();
    let nine = WallTime::parse("09:00").unwrap();
    let mut at = apia.read("2011-12-29T08:00").unwrap();
    let mut out = String::new();
    for days in ["mon..sun", "mon..sun", "fri", "thu..fri"] {
        at = apia.next(at, nine, Weekdays::parse(days).unwrap()).unwrap();
        writeln!(out, "{days}: {} {:?}", brief(at), apia.local(at)).unwrap();
        at = at + Duration::from_secs(1);
    }
    // The day left out is read as the first moment after it.
    writeln!(out, "{}", brief(apia.read("2011-12-30").unwrap())).unwrap();
    expect![[r#"
        mon..sun: 2011-12-29T19:00Z Local { year: 2011, month: 12, day: 29, hour: 9, minute: 0, weekday: 4 }
        mon..sun: 2011-12-30T19:00Z Local { year: 2011, month: 12, day: 31, hour: 9, minute: 0, weekday: 6 }
        fri: 2012-01-05T19:00Z Local { year: 2012, month: 1, day: 6, hour: 9, minute: 0, weekday: 5 }
        thu..fri: 2012-01-11T19:00Z Local { year: 2012, month: 1, day: 12, hour: 9, minute: 0, weekday: 4 }
        2011-12-30T10:00Z
    "#]].assert_eq(&out);
}

#[test]
fn the_start_of_a_day_is_its_first_moment() {
    let mut out = String::new();
    for (name, at) in [
        ("America/Santiago", "2026-09-06T12:00:00Z"),
        ("America/Havana", "2026-11-01T12:00:00Z"),
        ("Asia/Kathmandu", "2026-01-05T18:15:00Z"),
        ("Asia/Kathmandu", "2026-01-05T18:14:59.999Z"),
        ("Pacific/Apia", "2011-12-30T12:00:00Z"),
        ("America/St_Johns", "2006-04-02T12:00:00Z"),
    ] {
        let at = Timestamp::parse(at).unwrap();
        let start = Zone::parse(name).unwrap().start_of_day(at);
        writeln!(out, "{name} {}: {}", brief(at), brief(start)).unwrap();
    }
    expect![[r#"
        America/Santiago 2026-09-06T12:00Z: 2026-09-06T04:00Z
        America/Havana 2026-11-01T12:00Z: 2026-11-01T04:00Z
        Asia/Kathmandu 2026-01-05T18:15Z: 2026-01-05T18:15Z
        Asia/Kathmandu 2026-01-05T18:14:59.999Z: 2026-01-04T18:15Z
        Pacific/Apia 2011-12-30T12:00Z: 2011-12-30T10:00Z
        America/St_Johns 2006-04-02T12:00Z: 2006-04-02T03:30Z
    "#]]
    .assert_eq(&out);
}

#[test]
fn whole_days_are_shifted_by_the_calendar_and_the_rest_by_length() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let mut out = String::new();
    for (date, length, back) in [
        ("2026-04-01", "7d", true),
        ("2026-03-28T02:30", "1d", false),
        ("2026-03-28T12:00", "24h", false),
        ("2026-03-28T12:00", "1d2h", false),
        ("2026-10-24T12:00", "23h", false),
        ("9999-12-30", "3650d", false),
    ] {
        let length = Duration::parse(length).unwrap();
        let moved = berlin.shift(berlin.read(date).unwrap(), length, back);
        writeln!(out, "{date} {length}: {}", brief(moved)).unwrap();
    }
    expect![[r#"
        2026-04-01 1w: 2026-03-24T23:00Z
        2026-03-28T02:30 1d: 2026-03-29T01:00Z
        2026-03-28T12:00 1d: 2026-03-29T10:00Z
        2026-03-28T12:00 1d2h: 2026-03-29T12:00Z
        2026-10-24T12:00 23h: 2026-10-25T09:00Z
        9999-12-30 3650d: 253402207200999ms
    "#]]
    .assert_eq(&out);
}

#[test]
fn dates_are_read_in_the_zone_and_moments_as_they_are() {
    let zone = Zone::parse("America/St_Johns").unwrap();
    let mut out = String::new();
    for text in [
        "2026-01-31",
        " 2026-01-31 ",
        "2026-01-31T10:00",
        "2026-01-31 10:00:30",
        "2026-01-31T10:00:00Z",
        "2026-01-31T10:00:00+02:00",
        "tomorrow",
        "2026-02-30",
        "",
    ] {
        let read = zone.read(text).map_or("unknown".into(), brief);
        writeln!(out, "`{text}`: {read}").unwrap();
    }
    expect![[r#"
        `2026-01-31`: 2026-01-31T03:30Z
        ` 2026-01-31 `: 2026-01-31T03:30Z
        `2026-01-31T10:00`: 2026-01-31T13:30Z
        `2026-01-31 10:00:30`: 2026-01-31T13:30:30.000Z
        `2026-01-31T10:00:00Z`: 2026-01-31T10:00Z
        `2026-01-31T10:00:00+02:00`: 2026-01-31T08:00Z
        `tomorrow`: unknown
        `2026-02-30`: unknown
        ``: unknown
    "#]]
    .assert_eq(&out);
}

#[test]
fn the_traits_name_the_zone_then_the_last_context_then_the_workspace() {
    let workspace = Zone::parse("Asia/Kathmandu").unwrap();
    let mut out = String::new();
    for (told, context) in [
        (Some("Europe/Berlin"), Some("America/New_York")),
        (Some("europe/berlin"), None),
        (Some("Mars/Base"), Some("America/New_York")),
        (Some("Mars/Base"), Some("")),
        (Some("Etc/Unknown"), None),
        (None, None),
    ] {
        let mut profile = Profile::new(CustomerId::parse("u1").unwrap());
        let told = told.map_or(Value::Null, Value::text);
        profile.apply(&Fact::Trait("timezone".into(), told));
        if let Some(name) = context {
            profile.apply(&Fact::Zone(name.into()));
        }
        writeln!(out, "{}", Zone::of(&profile, &workspace)).unwrap();
    }
    let nobody = Profile::new(CustomerId::parse("u1").unwrap());
    let chosen = Zone::of(&nobody, &Zone::default());
    assert_eq!((chosen.zone, chosen.source), (Zone::UTC, Source::Workspace));
    expect![[r#"
        Europe/Berlin by profile.traits.timezone
        Europe/Berlin by profile.traits.timezone
        America/New_York by context.timezone; profile.traits.timezone `Mars/Base` is no zone
        Asia/Kathmandu by workspace default; profile.traits.timezone `Mars/Base` is no zone; context.timezone `` is no zone
        Asia/Kathmandu by workspace default; profile.traits.timezone `Etc/Unknown` is no zone
        Asia/Kathmandu by workspace default
    "#]].assert_eq(&out);
}

#[test]
fn the_zone_of_a_context_is_read_also_if_nobody_looks_at_the_event() {
    let mut out = String::new();
    for context in [
        r#"{"timezone":"Europe/Berlin","page":{"path":"/"}}"#,
        r#"{"page":{"path":"/"}}"#,
        r#"{"page":{"timezone":"Europe/Berlin"}}"#,
        r#"{"timezone":7}"#,
        r#"["timezone"]"#,
        "null",
    ] {
        let json = format!(r#"{{"type":"track","event":"E","userId":"u","context":{context}}}"#);
        let received = Received {
            at: Timestamp::from_millis(0),
            real: true,
            fallback_id: &|| "1".into(),
        };
        for depth in [Depth::Envelope, Depth::Body, Depth::Whole] {
            let decoded = segment::decode(json.as_bytes(), &received, |_| depth);
            let read = decoded.map(|decoded| decoded.event.context.to_string());
            writeln!(out, "{context} {depth:?}: {read:?}").unwrap();
        }
    }
    expect![[r#"
        {"timezone":"Europe/Berlin","page":{"path":"/"}} Envelope: Ok("{\"timezone\":\"Europe/Berlin\"}")
        {"timezone":"Europe/Berlin","page":{"path":"/"}} Body: Ok("{\"timezone\":\"Europe/Berlin\"}")
        {"timezone":"Europe/Berlin","page":{"path":"/"}} Whole: Ok("{\"page\":{\"path\":\"/\"},\"timezone\":\"Europe/Berlin\"}")
        {"page":{"path":"/"}} Envelope: Ok("null")
        {"page":{"path":"/"}} Body: Ok("null")
        {"page":{"path":"/"}} Whole: Ok("{\"page\":{\"path\":\"/\"}}")
        {"page":{"timezone":"Europe/Berlin"}} Envelope: Ok("null")
        {"page":{"timezone":"Europe/Berlin"}} Body: Ok("null")
        {"page":{"timezone":"Europe/Berlin"}} Whole: Ok("{\"page\":{\"timezone\":\"Europe/Berlin\"}}")
        {"timezone":7} Envelope: Ok("null")
        {"timezone":7} Body: Ok("null")
        {"timezone":7} Whole: Ok("{\"timezone\":7}")
        ["timezone"] Envelope: Ok("null")
        ["timezone"] Body: Err("`context` is not an object")
        ["timezone"] Whole: Err("`context` is not an object")
        null Envelope: Ok("null")
        null Body: Ok("null")
        null Whole: Ok("null")
    "#]].assert_eq(&out);
}

#[test]
fn times_and_weekdays_are_read_strictly() {
    let mut out = String::new();
    for text in [
        "09:00", "9:00", "23:59", "24:00", "09:60", "9", "09:0", "+9:00", "009:00", ":00",
    ] {
        let read = WallTime::parse(text).map(|time| time.to_string());
        writeln!(out, "{text}: {read:?}").unwrap();
    }
    for text in [
        "mon", "mon..fri", "sat..mon", "fri..thu", "Mon", "monday", "mon..", "..",
    ] {
        let read = Weekdays::parse(text).map(|days| days.to_string());
        writeln!(out, "{text}: {read:?}").unwrap();
    }
    expect![[r#"
        09:00: Some("09:00")
        9:00: Some("09:00")
        23:59: Some("23:59")
        24:00: None
        09:60: None
        9: None
        09:0: None
        +9:00: None
        009:00: None
        :00: None
        mon: Some("mon")
        mon..fri: Some("mon tue wed thu fri")
        sat..mon: Some("mon sat sun")
        fri..thu: Some("mon tue wed thu fri sat sun")
        Mon: None
        monday: None
        mon..: None
        ..: None
    "#]]
    .assert_eq(&out);
}

const ZONES: [&str; 10] = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Nuuk",
    "Antarctica/Troll",
];

proptest! {
    #[test]
    fn the_next_time_is_never_early_and_at_most_two_days_away(
        zone in 0..ZONES.len(), secs in 0_i64..4_000_000_000, hour in 0_u8..24, minute in 0_u8..60,
    ) {
        let zone = Zone::parse(ZONES[zone]).unwrap();
        let at = Timestamp::from_millis(secs * 1_000);
        let time = WallTime::parse(&format!("{hour}:{minute:02}")).unwrap();
        let next = zone.next(at, time, Weekdays::ALL).unwrap();
        prop_assert!(next >= at);
        prop_assert!(next.since(at) <= Duration::from_secs(2 * 86_400 + 3_600));
        // Nothing lies between: asked a moment before the answer, the answer is the same.
        let asked = next - Duration::from_millis(1);
        prop_assert_eq!(zone.next(asked.max(at), time, Weekdays::ALL), Some(next));
        let shown = zone.local(next);
        let shown = WallTime::parse(&format!("{}:{:02}", shown.hour, shown.minute)).unwrap();
        let after_gap = zone.local(next - Duration::from_millis(1));
        prop_assert!(shown == time || (after_gap.hour, after_gap.minute) != (zone.local(next).hour, zone.local(next).minute));
    }

    #[test]
    fn a_day_starts_at_or_before_every_moment_in_it(zone in 0..ZONES.len(), secs in 0_i64..4_000_000_000) {
        let zone = Zone::parse(ZONES[zone]).unwrap();
        let at = Timestamp::from_millis(secs * 1_000);
        let start = zone.start_of_day(at);
        prop_assert!(start <= at);
        let date = |at| { let shown = zone.local(at); (shown.year, shown.month, shown.day) };
        prop_assert_eq!(date(start), date(at));
        prop_assert_ne!(date(start - Duration::from_millis(1)), date(at));
    }
}
