//! Schedules, on the clocks of zones that change them.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use crate::domain::{Timestamp, Zone};
use crate::policy::cron::Cron;

#[test]
fn schedules_come_when_they_say() {
    check(
        "0 9 * * mon",
        "UTC",
        "2026-01-05T09:00:00Z",
        2,
        &expect!["2026-01-12T09:00:00.000Z 2026-01-19T09:00:00.000Z"],
    );
    check(
        "*/20 8-9 * * *",
        "UTC",
        "2026-01-05T08:30:00Z",
        4,
        &expect![
            "2026-01-05T08:40:00.000Z 2026-01-05T09:00:00.000Z 2026-01-05T09:20:00.000Z 2026-01-05T09:40:00.000Z"
        ],
    );
    check(
        "0 0 1 jan,jul *",
        "UTC",
        "2026-01-05T00:00:00Z",
        2,
        &expect!["2026-07-01T00:00:00.000Z 2027-01-01T00:00:00.000Z"],
    );
    check(
        "0 0 29 2 *",
        "UTC",
        "2026-01-05T00:00:00Z",
        2,
        &expect!["2028-02-29T00:00:00.000Z 2032-02-29T00:00:00.000Z"],
    );
    check(
        "0 12 13 * fri",
        "UTC",
        "2026-02-01T00:00:00Z",
        4,
        &expect![
            "2026-02-06T12:00:00.000Z 2026-02-13T12:00:00.000Z 2026-02-20T12:00:00.000Z 2026-02-27T12:00:00.000Z"
        ],
    );
    check(
        "0 12 * * 0,7",
        "UTC",
        "2026-02-01T00:00:00Z",
        2,
        &expect!["2026-02-01T12:00:00.000Z 2026-02-08T12:00:00.000Z"],
    );
    check(
        "5/25 3 * * *",
        "UTC",
        "2026-02-01T00:00:00Z",
        3,
        &expect!["2026-02-01T03:05:00.000Z 2026-02-01T03:30:00.000Z 2026-02-01T03:55:00.000Z"],
    );
}

#[test]
fn a_time_that_is_left_out_comes_at_the_change_and_one_that_comes_twice_comes_once() {
    // 02:00 becomes 03:00 on 2026-03-29, 03:00 becomes 02:00 on 2026-10-25.
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-03-27T12:00:00Z",
        3,
        &expect!["2026-03-28T01:30:00.000Z 2026-03-29T01:00:00.000Z 2026-03-30T00:30:00.000Z"],
    );
    check(
        "30 2 * * *",
        "Europe/Berlin",
        "2026-10-23T12:00:00Z",
        3,
        &expect!["2026-10-24T00:30:00.000Z 2026-10-25T00:30:00.000Z 2026-10-26T01:30:00.000Z"],
    );
    // 02:00 becomes 03:00 on 2026-03-08, 02:00 becomes 01:00 on 2026-11-01.
    check(
        "*/30 1-3 * * *",
        "America/New_York",
        "2026-03-08T05:59:00Z",
        5,
        &expect![
            "2026-03-08T06:00:00.000Z 2026-03-08T06:30:00.000Z 2026-03-08T07:00:00.000Z 2026-03-08T07:30:00.000Z 2026-03-09T05:00:00.000Z"
        ],
    );
    check(
        "*/30 1-2 * * *",
        "America/New_York",
        "2026-11-01T04:59:00Z",
        5,
        &expect![
            "2026-11-01T05:00:00.000Z 2026-11-01T05:30:00.000Z 2026-11-01T07:00:00.000Z 2026-11-01T07:30:00.000Z 2026-11-02T06:00:00.000Z"
        ],
    );
    // Half an hour: 02:00 becomes 02:30 on 2026-10-04.
    check(
        "15 2 * * *",
        "Australia/Lord_Howe",
        "2026-10-02T12:00:00Z",
        3,
        &expect!["2026-10-02T15:45:00.000Z 2026-10-03T15:30:00.000Z 2026-10-04T15:15:00.000Z"],
    );
    // There is no 2011-12-30.
    check(
        "0 9 * * *",
        "Pacific/Apia",
        "2011-12-29T12:00:00Z",
        3,
        &expect!["2011-12-29T19:00:00.000Z 2011-12-30T19:00:00.000Z 2011-12-31T19:00:00.000Z"],
    );
    // Midnight itself is left out on 2026-09-06.
    check(
        "0 0 * * *",
        "America/Santiago",
        "2026-09-04T12:00:00Z",
        3,
        &expect!["2026-09-05T04:00:00.000Z 2026-09-06T04:00:00.000Z 2026-09-07T03:00:00.000Z"],
    );
    check(
        "0 9 * * *",
        "Asia/Kathmandu",
        "2026-09-04T12:00:00Z",
        1,
        &expect!["2026-09-05T03:15:00.000Z"],
    );
}

#[test]
fn what_is_no_schedule_says_why() {
    let wrong = [
        "0 9 * *",
        "60 9 * * *",
        "0 9 * * funday",
        "0 9 31 feb *",
        "9-5 * * * *",
        "*/0 * * * *",
        "a b c d e",
        "",
    ];
    let said: Vec<String> = wrong
        .into_iter()
        .map(|text| Cron::parse(text).unwrap_err())
        .collect();
    expect![[r#"
        `0 9 * *` has 4 fields instead of 5
        the minute `60` is not between 0 and 59
        the day of the week `funday` is not between 0 and 7
        `0 9 31 feb *` never comes: no month has such a day
        the minute `9-5` runs backwards
        the step `0` of the minute is not a number from 1
        the minute `a` is not between 0 and 59
        `` has 0 fields instead of 5"#]]
    .assert_eq(&said.join("\n"));
}

fn check(cron: &str, zone: &str, after: &str, n: usize, expected: &Expect) {
    let (cron, zone) = (Cron::parse(cron).unwrap(), Zone::parse(zone).unwrap());
    let mut at = Timestamp::parse(after).unwrap();
    let mut out = String::new();
    for _ in 0..n {
        at = cron.next(at, &zone).unwrap();
        write!(out, "{at} ").unwrap();
    }
    expected.assert_eq(out.trim_end());
}
