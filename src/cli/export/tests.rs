//! What a server says, as rows.

use std::fs;

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{Out, decisions, features};
use crate::cli::sheet::{Format, Sheet};
use crate::domain::Timestamp;

#[test]
fn a_decision_is_a_row_for_each_offer_it_gave() {
    let decision = json!({
        "decision_id": "d1", "customer": "ada", "placement": "hero", "decided_at": "2026-01-05T10:00:00Z",
        "offers": [
            { "offer": "a", "probability": 0.75, "explored": false, "propensity": 0.1, "priority": 3.0, "value": 30.0,
              "inputs": { "model": "m", "row": [1.5, null] } },
            { "offer": "b", "probability": 0.25, "priority": 2.5 },
        ],
        "losers": [{ "offer": "c", "reason": "CAP" }],
        "degraded": false, "fallback": false, "arm": "champion", "learner": { "name": "l", "version": "0123456789abcdef" },
        "models": [{ "name": "m", "version": "ad87" }], "bundle": "fedcba9876543210",
    });
    let nothing = json!({ "decision_id": "d2", "customer": "bob", "placement": "hero", "offers": [], "losers": [] });
    check(
        decisions::columns(),
        |sheet| {
            decisions::write(&decision, sheet).unwrap();
            decisions::write(&nothing, sheet).unwrap();
        },
        &expect![[r#"
            decision_id,customer,placement,decided_at,bundle,slot,offer,probability,propensity,priority,value,explored,inputs,degraded,fallback,arm,learner,losers,models
            d1,ada,hero,2026-01-05T10:00:00.000Z,fedcba9876543210,1,a,0.75,0.1,3,30,0,"{""model"":""m"",""row"":[1.5,null]}",0,0,champion,"{""name"":""l"",""version"":""0123456789abcdef""}","[{""offer"":""c"",""reason"":""CAP""}]","[{""name"":""m"",""version"":""ad87""}]"
            d1,ada,hero,2026-01-05T10:00:00.000Z,fedcba9876543210,2,b,0.25,,2.5,,,,0,0,champion,,,
            d2,bob,hero,,,,,,,,,,,,,,,[],
        "#]],
    );
}

#[test]
fn features_are_columns_and_what_is_not_known_is_empty() {
    let declared: [Value; 3] = [
        json!({ "name": "orders", "number": true }),
        json!({ "name": "last_category", "number": false }),
        json!({ "name": "spent", "number": true }),
    ];
    let customer = json!({
        "id": "ada", "last_input_at": "2026-01-05T10:00:00Z",
        "features": { "orders": 3.0, "last_category": "shoes, hats" },
    });
    let at = |text| Timestamp::parse(text).unwrap();
    check(
        features::columns(&declared).unwrap(),
        |sheet| {
            for at in ["2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z"].map(at) {
                sheet.row(&features::row(&customer, at, &declared)).unwrap();
            }
        },
        &expect![[r#"
            customer,at,orders,last_category,spent
            ada,2026-02-01T00:00:00.000Z,3,"""shoes, hats""",
            ada,2026-01-05T10:00:00.000Z,3,"""shoes, hats""",
        "#]],
    );
}

#[test]
fn a_feature_with_the_name_of_a_column_is_refused() {
    for name in ["customer", "at"] {
        let why = features::columns(&[json!({ "name": name, "number": true })]).unwrap_err();
        let expected = format!("feature `{name}` has the name of a column of the table");
        assert_eq!(why.to_string(), expected);
    }
}

#[test]
fn what_a_file_is_to_hold_is_said_by_its_name_or_by_a_flag() {
    let form = |out: Option<&str>, format| {
        let out = Out {
            out: out.map(Into::into),
            format,
        };
        out.format().map_err(|error| format!("{error:#}"))
    };
    assert_eq!(form(None, None), Ok(Format::Jsonl));
    assert_eq!(form(Some("a.csv"), None), Ok(Format::Csv));
    assert_eq!(form(Some("a.txt"), Some(Format::Csv)), Ok(Format::Csv));
    expect!["add `--format`: `a.txt` ends neither in .parquet nor in .csv nor in .jsonl"]
        .assert_eq(&form(Some("a.txt"), None).unwrap_err());
}

fn check(
    columns: Vec<crate::cli::sheet::Column>,
    write: impl FnOnce(&mut Sheet),
    expected: &Expect,
) {
    let folder = tempdir().unwrap();
    let path = folder.path().join("table.csv");
    let mut sheet = Sheet::create(Some(&path), Format::Csv, columns).unwrap();
    write(&mut sheet);
    sheet.end().unwrap();
    expected.assert_eq(&fs::read_to_string(path).unwrap());
}
