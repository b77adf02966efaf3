//! Quiet hours and periods of the calendar where clocks are changed, as tables.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::bundle;
use crate::decide::guards::caps::{began, ends};
use crate::decide::guards::quiet::until;
use crate::domain::zone::WallTime;
use crate::domain::{Duration, Timestamp, Zone};
use crate::policy::limits::{Quiet, Unit};

fn quiet(text: &str) -> Quiet {
    let bundle = bundle(&format!("limits: {{ quiet_hours: {text} }}"));
    bundle.limits.quiet.unwrap()
}

/// Writes for each moment of local time (with its offset) when the quiet hours are over, as the local clocks show it.
fn check(zone: &str, text: &str, moments: &[&str], expected: &Expect) {
    let zone = Zone::parse(zone).unwrap();
    let quiet = quiet(text);
    let mut out = String::new();
    for moment in moments {
        let at = Timestamp::parse(moment).unwrap();
        let shown = until(&quiet, &zone, at).map_or_else(
            || "not quiet".to_owned(),
            |until| format!("until {until}, {} there", zone.clock(until)),
        );
        writeln!(out, "{moment} {shown}").unwrap();
    }
    expected.assert_eq(&out);
}

#[test]
fn berlin_sets_its_clocks_at_night() {
    check(
        "Europe/Berlin",
        "21:00-08:00",
        &[
            "2026-03-28T20:59:59+01:00",
            "2026-03-28T21:00:00+01:00",
            "2026-03-29T03:30:00+02:00",
            "2026-03-29T08:00:00+02:00",
            "2026-10-24T22:00:00+02:00",
            "2026-10-25T02:30:00+01:00",
            "2026-10-25T08:00:00+01:00",
        ],
        &expect![[r#"
            2026-03-28T20:59:59+01:00 not quiet
            2026-03-28T21:00:00+01:00 until 2026-03-29T06:00:00.000Z, 08:00 there
            2026-03-29T03:30:00+02:00 until 2026-03-29T06:00:00.000Z, 08:00 there
            2026-03-29T08:00:00+02:00 not quiet
            2026-10-24T22:00:00+02:00 until 2026-10-25T07:00:00.000Z, 08:00 there
            2026-10-25T02:30:00+01:00 until 2026-10-25T07:00:00.000Z, 08:00 there
            2026-10-25T08:00:00+01:00 not quiet
        "#]],
    );
}

#[test]
fn an_end_that_is_left_out_comes_with_the_change_and_one_that_is_shown_twice_counts_both_times() {
    check(
        "Europe/Berlin",
        "22:00-02:30",
        &[
            "2026-03-29T01:59:00+01:00",
            "2026-03-29T03:00:00+02:00",
            "2026-10-25T02:29:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:10:30+01:00",
            "2026-10-25T02:30:00+01:00",
        ],
        &expect![[r#"
            2026-03-29T01:59:00+01:00 until 2026-03-29T01:00:00.000Z, 03:00 there
            2026-03-29T03:00:00+02:00 not quiet
            2026-10-25T02:29:00+02:00 until 2026-10-25T00:30:00.000Z, 02:30 there
            2026-10-25T02:30:00+02:00 not quiet
            2026-10-25T02:10:30+01:00 until 2026-10-25T01:30:00.000Z, 02:30 there
            2026-10-25T02:30:00+01:00 not quiet
        "#]],
    );
}

#[test]
fn new_york_changes_on_other_sundays() {
    check(
        "America/New_York",
        "21:00-02:15",
        &[
            "2026-03-07T23:00:00-05:00",
            "2026-11-01T01:30:00-04:00",
            "2026-11-01T01:30:00-05:00",
        ],
        &expect![[r#"
            2026-03-07T23:00:00-05:00 until 2026-03-08T07:00:00.000Z, 03:00 there
            2026-11-01T01:30:00-04:00 until 2026-11-01T07:15:00.000Z, 02:15 there
            2026-11-01T01:30:00-05:00 until 2026-11-01T07:15:00.000Z, 02:15 there
        "#]],
    );
}

#[test]
fn lord_howe_changes_by_half_an_hour() {
    check(
        "Australia/Lord_Howe",
        "20:00-02:15",
        &[
            "2026-10-03T23:00:00+10:30",
            "2026-04-04T23:00:00+11:00",
            "2026-04-05T01:45:00+10:30",
        ],
        &expect![[r#"
            2026-10-03T23:00:00+10:30 until 2026-10-03T15:30:00.000Z, 02:30 there
            2026-04-04T23:00:00+11:00 until 2026-04-04T15:45:00.000Z, 02:15 there
            2026-04-05T01:45:00+10:30 until 2026-04-04T15:45:00.000Z, 02:15 there
        "#]],
    );
}

#[test]
fn santiago_and_st_johns_and_kathmandu_and_casablanca_have_their_own_ways() {
    check(
        "America/Santiago",
        "22:00-00:30",
        &[
            "2026-09-05T23:00:00-04:00",
            "2026-04-04T23:30:00-03:00",
            "2026-04-04T23:30:00-04:00",
        ],
        &expect![[r#"
            2026-09-05T23:00:00-04:00 until 2026-09-06T04:00:00.000Z, 01:00 there
            2026-04-04T23:30:00-03:00 until 2026-04-05T04:30:00.000Z, 00:30 there
            2026-04-04T23:30:00-04:00 until 2026-04-05T04:30:00.000Z, 00:30 there
        "#]],
    );
    check(
        "America/St_Johns",
        "21:00-08:00",
        &["2026-03-07T22:00:00-03:30"],
        &expect![[r#"
            2026-03-07T22:00:00-03:30 until 2026-03-08T10:30:00.000Z, 08:00 there
        "#]],
    );
    check(
        "Asia/Kathmandu",
        "21:00-08:00",
        &["2026-06-01T22:00:00+05:45"],
        &expect![[r#"
            2026-06-01T22:00:00+05:45 until 2026-06-02T02:15:00.000Z, 08:00 there
        "#]],
    );
    check(
        "Africa/Casablanca",
        "21:00-08:00",
        &["2026-02-14T22:00:00+01:00"],
        &expect![[r#"
            2026-02-14T22:00:00+01:00 until 2026-02-15T08:00:00.000Z, 08:00 there
        "#]],
    );
}

#[test]
fn the_night_after_samoas_missing_day_belongs_to_the_day_before_it() {
    let moments = ["2011-12-29T22:00:00-10:00", "2011-12-31T03:00:00+14:00"];
    check(
        "Pacific/Apia",
        "{ between: 21:00-08:00, days: [thu] }",
        &moments,
        &expect![[r#"
            2011-12-29T22:00:00-10:00 until 2011-12-30T18:00:00.000Z, 08:00 there
            2011-12-31T03:00:00+14:00 until 2011-12-30T18:00:00.000Z, 08:00 there
        "#]],
    );
    check(
        "Pacific/Apia",
        "{ between: 21:00-08:00, days: [fri] }",
        &moments,
        &expect![[r#"
            2011-12-29T22:00:00-10:00 not quiet
            2011-12-31T03:00:00+14:00 not quiet
        "#]],
    );
}

#[test]
fn periods_of_the_calendar_are_those_of_the_zone() {
    let mut out = String::new();
    for (zone, moment) in [
        ("Asia/Tokyo", "2026-01-31T16:00:00Z"),
        ("Europe/Berlin", "2026-03-29T10:00:00Z"),
        ("America/Santiago", "2026-09-06T12:00:00Z"),
        ("Pacific/Apia", "2011-12-31T00:00:00Z"),
    ] {
        let (of, at) = (
            Zone::parse(zone).unwrap(),
            Timestamp::parse(moment).unwrap(),
        );
        for unit in [Unit::Day, Unit::Week, Unit::Month] {
            writeln!(
                out,
                "{zone} {unit:?} {} to {}",
                began(unit, &of, at),
                ends(unit, &of, at)
            )
            .unwrap();
        }
    }
    expect![[r#"
        Asia/Tokyo Day 2026-01-31T15:00:00.000Z to 2026-02-01T15:00:00.000Z
        Asia/Tokyo Week 2026-01-25T15:00:00.000Z to 2026-02-01T15:00:00.000Z
        Asia/Tokyo Month 2026-01-31T15:00:00.000Z to 2026-02-28T15:00:00.000Z
        Europe/Berlin Day 2026-03-28T23:00:00.000Z to 2026-03-29T22:00:00.000Z
        Europe/Berlin Week 2026-03-22T23:00:00.000Z to 2026-03-29T22:00:00.000Z
        Europe/Berlin Month 2026-02-28T23:00:00.000Z to 2026-03-31T22:00:00.000Z
        America/Santiago Day 2026-09-06T04:00:00.000Z to 2026-09-07T03:00:00.000Z
        America/Santiago Week 2026-08-31T04:00:00.000Z to 2026-09-07T03:00:00.000Z
        America/Santiago Month 2026-09-01T04:00:00.000Z to 2026-10-01T03:00:00.000Z
        Pacific/Apia Day 2011-12-30T10:00:00.000Z to 2011-12-31T10:00:00.000Z
        Pacific/Apia Week 2011-12-26T10:00:00.000Z to 2012-01-01T10:00:00.000Z
        Pacific/Apia Month 2011-12-01T10:00:00.000Z to 2011-12-31T10:00:00.000Z
    "#]]
    .assert_eq(&out);
}

const ZONES: [&str; 10] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Africa/Cairo",
    "America/Havana",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_released_send_never_finds_a_clock_that_shows_a_quiet_time(
        zone in prop::sample::select(ZONES.to_vec()),
        minute in 0_u64..9_000_000,
        (from, to) in (0_u32..24, 0_u32..96).prop_filter("a part of the day", |(from, to)| from * 4 != *to),
    ) {
        let zone = Zone::parse(zone).unwrap();
        let text = format!("{from:02}:00-{:02}:{:02}", to / 4, to % 4 * 15);
        let quiet = quiet(&text);
        // From 2010 on, to the minute.
        let now = Timestamp::parse("2010-01-01T00:00:00Z").unwrap() + Duration::from_secs(minute * 60);
        let shows_quiet = |at| {
            let clock: WallTime = zone.clock(at);
            if quiet.from < quiet.to {
                quiet.from <= clock && clock < quiet.to
            } else {
                quiet.from <= clock || clock < quiet.to
            }
        };
        match until(&quiet, &zone, now) {
            None => prop_assert!(!shows_quiet(now)),
            Some(until) => {
                prop_assert!(shows_quiet(now));
                prop_assert!(until > now && !shows_quiet(until), "{until}");
                // And not a minute later than need be.
                let mut at = now;
                while at < until {
                    prop_assert!(shows_quiet(at), "{at} was free already, not only {until}");
                    at = at + Duration::from_secs(60);
                }
            }
        }
    }
}
