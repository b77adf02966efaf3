//! Folders of policies, valued on logs that the core itself has written.
#![expect(clippy::too_many_lines, reason = "a table of cases is one list")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use expect_test::expect;
use sha2::{Digest, Sha256};

use super::{LOG, json, near, near_to, on, why};
use crate::cli::evaluate;
use crate::cli::evaluate::policy::{Given, Policy};
use crate::decide::offers::{Question, rank};
use crate::decide::{Budgets, Env, Said};
use crate::domain::learning::{Lesson, Sample, Tallies, Update};
use crate::domain::{CustomerId, Profile, Timestamp};
use crate::policy::{Bundle, Source, compile};
use crate::scoring::tests::graph::{FLOAT, Graph};

/// Policies that give what they find best, and try another one so often.
const LOGGING: &str = "
offers:
  a: { placements: [hero], value: 3, data: { kind: x } }
  b: { placements: [hero], value: 2, data: { kind: x } }
  c: { placements: [hero], value: offer.data.worth, data: { kind: y, worth: 1 } }
placements: { hero: { limit: 2, explore: 40%, control: 10% } }
";

/// A log of decisions of [`LOGGING`] about as many customers, by the core itself, and a click on every `a` and on `c` of
/// every second customer.
fn decided(policies: &str, n: usize) -> String {
    decided_after(policies, n, |_| Tallies::default())
}

/// - `learnt`: what the learners of the policies know.
fn decided_after(policies: &str, n: usize, learnt: impl Fn(&Bundle) -> Tallies) -> String {
    let source = Source::new("p.yaml", policies);
    let bundle = compile(&[source]).map_err(|wrong| wrong.render(false));
    let bundle = bundle.unwrap();
    let learnt = learnt(&bundle);
    let mut log = String::new();
    for n in 0..n {
        let customer = CustomerId::parse(&format!("c{n}")).unwrap();
        let profile = Profile::new(customer);
        let now = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let context = serde_json::from_str(r#"{"page":"start"}"#).unwrap();
        let mut env = Env::new(&bundle, &profile, now);
        env.context = Some(&context);
        let question = Question {
            id: &format!("d{n}").into(),
            placement: &"hero".into(),
            limit: None,
            env,
            said: &Said::new(),
            budgets: &Budgets::default(),
            learnt: &learnt,
        };
        let ranked = rank(&question).unwrap_or_else(|_| panic!());
        log += &ranked.answer.to_json(true);
        log.push('\n');
        for given in &ranked.answer.offers {
            if &*given.offer == "a" || (&*given.offer == "c" && n % 2 == 0) {
                let click = serde_json::json!({
                    "event": "Offer Clicked", "timestamp": "2026-01-02T00:00:00Z",
                    "properties": { "decision_id": format!("d{n}"), "offer": given.offer },
                });
                log += &(click.to_string() + "\n");
            }
        }
    }
    log
}

#[test]
fn policies_that_logged_themselves_are_worth_what_they_earned() {
    let log = decided(LOGGING, 400);
    let json = json(&log, &["--policy", &format!("FOLDER:{LOGGING}")]);
    // The control is a tenth of the customers in the log, and a tenth of each choice here: it is the same in the mean.
    near_to(&json["weight_mean"], 1.0, 0.02);
    let logged = json["log"]["mean_reward"].as_f64().unwrap();
    near_to(&json["ips"]["value"], logged, 0.03);
    near_to(&json["unseen"], 0.0, 1e-9);
    let without = |policies: &str| policies.replace(", control: 10%", ", control: 0%");
    let log = decided(&without(LOGGING), 100);
    let json = self::json(&log, &["--policy", &format!("FOLDER:{}", without(LOGGING))]);
    near(
        &json["ips"]["value"],
        json["log"]["mean_reward"].as_f64().unwrap(),
    );
    near(&json["effective_sample_size"], 200.0);
    near(&json["weight_max"], 1.0);
}

#[test]
fn what_a_folder_does_at_each_place_is_computed_anew() {
    // Of the first three decisions that give something else at each place.
    let log = decided(LOGGING, 3);
    let mut shown = String::new();
    for (name, policies) in [
        ("the same", LOGGING.to_owned()),
        (
            "values",
            LOGGING
                .replace("value: 2", "value: 4")
                .replace("40%", "none"),
        ),
        (
            "rank",
            LOGGING.replace("explore: 40%", "rank: 0 - offer.value"),
        ),
        (
            "levers",
            LOGGING
                .replace("data: { kind: y", "weight: 500, data: { kind: y")
                .replace("40%", "10%"),
        ),
        ("an offer less", LOGGING.replace("  a:", "  d:")),
        (
            "diversity",
            LOGGING.replace("limit: 2", "limit: 2, diversity: { data.kind: 1 }"),
        ),
        (
            "groups",
            LOGGING
                .replace("limit: 2", "limit: 2, groups: [last, first]")
                .replace("value: 2", "value: 2, group: first")
                + "groups: { last: {}, first: {} }\n",
        ),
        (
            "a challenger",
            LOGGING.replace(
                "limit: 2",
                "limit: 2, challenger: { rank: 5 - offer.value, explore: none, share: 50% }",
            ),
        ),
    ] {
        write!(shown, "{name}\n{}", choices(&log, &policies)).unwrap();
    }
    expect![[r#"
        the same
          hero/1 of a b c: a 0.693 b 0.153 c 0.153
          hero/2 of b c: b 0.770 c 0.230
          hero/1 of a b c: a 0.693 b 0.153 c 0.153
          hero/2 of b c: b 0.770 c 0.230
          hero/1 of a c b: a 0.693 c 0.153 b 0.153
          hero/2 of c b: c 0.230 b 0.770
        values
          hero/1 of a b c: a 0.033 b 0.933 c 0.033
          hero/2 of b c: b 0.950 c 0.050
          hero/1 of a b c: a 0.033 b 0.933 c 0.033
          hero/2 of b c: b 0.950 c 0.050
          hero/1 of a c b: a 0.033 c 0.033 b 0.933
          hero/2 of c b: c 0.050 b 0.950
        rank
          hero/1 of a b c: a 0.033 b 0.033 c 0.933
          hero/2 of b c: b 0.050 c 0.950
          hero/1 of a b c: a 0.033 b 0.033 c 0.933
          hero/2 of b c: b 0.050 c 0.950
          hero/1 of a c b: a 0.033 c 0.933 b 0.033
          hero/2 of c b: c 0.950 b 0.050
        levers
          hero/1 of a b c: a 0.063 b 0.063 c 0.873
          hero/2 of b c: b 0.095 c 0.905
          hero/1 of a b c: a 0.063 b 0.063 c 0.873
          hero/2 of b c: b 0.095 c 0.905
          hero/1 of a c b: a 0.063 c 0.873 b 0.063
          hero/2 of c b: c 0.905 b 0.095
        an offer less
          hero/1 of a b c: b 0.770 c 0.230
          hero/2 of b c: b 0.770 c 0.230
          hero/1 of a b c: b 0.770 c 0.230
          hero/2 of b c: b 0.770 c 0.230
          hero/1 of a c b: c 0.230 b 0.770
          hero/2 of c b: c 0.230 b 0.770
        diversity
          hero/1 of a b c: a 0.693 b 0.153 c 0.153
          hero/2 of b c: c 1.000
          hero/1 of a b c: a 0.693 b 0.153 c 0.153
          hero/2 of b c: c 1.000
          hero/1 of a c b: a 0.693 c 0.153 b 0.153
          hero/2 of c b: c 1.000
        groups
          hero/1 of a b c: b 1.000
          hero/2 of b c: b 1.000
          hero/1 of a b c: b 1.000
          hero/2 of b c: b 1.000
          hero/1 of a c b: b 1.000
          hero/2 of c b: b 1.000
        a challenger
          hero/1 of a b c: a 0.363 b 0.093 c 0.543
          hero/2 of b c: b 0.410 c 0.590
          hero/1 of a b c: a 0.363 b 0.093 c 0.543
          hero/2 of b c: b 0.410 c 0.590
          hero/1 of a c b: a 0.363 c 0.543 b 0.093
          hero/2 of c b: c 0.590 b 0.410
    "#]]
    .assert_eq(&shown);
}

#[test]
fn what_of_a_folder_is_taken_from_the_log_is_said() {
    let of = |context: &str| {
        LOGGING
            .replace("value: 3", "value: \"context.page == 'start' ? 3 : 1\"")
            .replace(
                "limit: 2",
                &format!("limit: 2, context_weights: [ {{ when: {context}, weight: 50 }} ]"),
            )
    };
    let policies = of("context.page == 'start'");
    let log = decided(&policies, 200);
    let policies = policies + "---\noffers: { new: { placements: [hero] } }\n";
    let json = json(&log, &["--policy", &format!("FOLDER:{policies}")]);
    expect![[r#"
        [
          "context weights of `hero` look at the customer: C is as logged",
          "the value of `a` looks at the customer: V is as logged",
          "no decision of the log has `new`: nobody gets it"
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&json["notes"]).unwrap());
    near_to(&json["weight_mean"], 1.0, 0.02);
}

#[test]
fn what_of_a_folder_cannot_be_valued_is_refused_with_the_reason() {
    let log = decided(LOGGING, 3);
    let folder = |policies: &str| why(&log, &["--policy", &format!("FOLDER:{policies}")]);
    let learner = "learners: { l: {} }\n";
    let mut said = why(LOG, &["--policy", &format!("FOLDER:{LOGGING}")]);
    for policies in [
        LOGGING.replace("hero", "hera"),
        LOGGING.replace("limit: 2", "limit: 1"),
        LOGGING.replace("explore: 40%", "rank: offer.value * profile.traits.age"),
        LOGGING.replace("explore: 40%", "learner: l, explore: 5%") + learner,
        LOGGING.replace("explore: 40%", "learner: l") + learner,
        "nonsense: {}".into(),
    ] {
        said += &folder(&policies);
    }
    // Before beliefs were logged.
    let means = decided(LEARNING, 3).replace("\"belief\":", "\"trust\":");
    said += &why(&means, &["--policy", &format!("FOLDER:{LEARNING}")]);
    // An earlier build, which logged neither who was ranked with what nor by which files.
    let old = log.replace("\"value\":", "\"worth\":");
    let policies = LOGGING.replace("value: 3", "value: profile.traits.age");
    said += &why(&old, &["--policy", &format!("FOLDER:{policies}")]);
    expect![[r#"
        a folder of policies is valued on a log of decisions, and `log` is a table: it does not say what offers were ranked with
        `hero` is no placement of the policies, did you mean `hera`?; `--placement` picks one of the log
        `log`: line 1 cannot be valued: the log has a place 2, and `limit` of `hero` is 1
        `log`: line 1 cannot be valued: `rank` of `hero` looks at the customer, whom the log does not show
        `log`: line 1 cannot be valued: learner `l`, as it is in the policies, did not decide: what it would have learnt by then is not in the log
        `log`: line 1 cannot be valued: learner `l`, as it is in the policies, did not decide: what it would have learnt by then is not in the log
        attune::unknown_document

          × unknown kind of document `nonsense`
           ╭─[next/p.yaml:1:1]
         1 │ nonsense: {}
           · ────┬───
           ·     ╰── here
           ╰────
          help: a document has one of the keys `journey`, `offers`, `groups`, `placements`, `learners`,
                `features`, `segments`, `limits`, `channels`, `model`, `schemas`, `templates`, `test`

        `log`: line 1 cannot be valued: `hero` explores by Thompson sampling, which draws from what is believed: an earlier build logged the means alone
        `log`: line 1 cannot be valued: the value of `a` looks at the customer, and the log does not have it
    "#]].assert_eq(&said);
}

/// Policies that learn.
const LEARNING: &str = "
learners: { taste: { prior: { propensity: 0.3, evidence: 4 } } }
offers:
  a: { placements: [hero], value: 3 }
  b: { placements: [hero], value: 2 }
  c: { placements: [hero], value: 4 }
placements: { hero: { limit: 2, learner: taste, control: none } }
";

/// Twenty people saw each offer of [`LEARNING`]: half of them took `a`, and a quarter the others.
fn tasted(bundle: &Bundle) -> Tallies {
    let mut tallies = Tallies::default();
    let version = bundle.learner("taste").unwrap().version;
    for (offer, every) in [("a", 2), ("b", 4), ("c", 4)] {
        for n in 0..20 {
            let lesson = Lesson {
                version,
                placement: "hero".into(),
                offer: offer.into(),
                at: Timestamp::parse("2025-12-31T00:00:00Z").unwrap(),
                half_life: None,
                trial: true,
                reward: f64::from(u8::from(n % every == 0)),
                sample: Sample::Plain,
            };
            tallies.apply(&Update::Learnt(lesson.into()));
        }
    }
    tallies
}

#[test]
fn thompson_sampling_is_valued_by_what_was_believed() {
    let log = decided_after(LEARNING, 200, tasted);
    let json = json(&log, &["--policy", &format!("FOLDER:{LEARNING}")]);
    // It logged itself: beliefs are written in single precision.
    let logged = json["log"]["mean_reward"].as_f64().unwrap();
    near_to(&json["ips"]["value"], logged, 1e-5);
    near_to(&json["weight_max"], 1.0, 1e-4);
    near_to(&json["effective_sample_size"], 400.0, 1e-2);
    near_to(&json["unseen"], 0.0, 1e-9);

    // A share that explores is valued from that log, and draws from its own.
    let share = LEARNING.replace("learner: taste", "learner: taste, explore: 40%");
    let log = decided_after(&share, 2, tasted);
    let mut shown = String::new();
    for (name, policies) in [
        ("a share", &share),
        ("what is believed", &LEARNING.to_owned()),
        ("values", &LEARNING.replace("value: 2", "value: 5")),
        (
            "the propensity alone",
            &LEARNING.replace("limit: 2", "limit: 2, rank: p"),
        ),
    ] {
        write!(shown, "{name}\n{}", choices(&log, policies)).unwrap();
    }
    expect![[r#"
        a share
          hero/1 of a c b: a 0.733 c 0.133 b 0.133
          hero/2 of c b: c 0.800 b 0.200
          hero/1 of a c b: a 0.733 c 0.133 b 0.133
          hero/2 of c b: c 0.800 b 0.200
        what is believed
          hero/1 of a c b: a 0.785 c 0.213 b 0.002
          hero/2 of c b: c 0.912 b 0.088
          hero/1 of a c b: a 0.785 c 0.213 b 0.002
          hero/2 of c b: c 0.912 b 0.088
        values
          hero/1 of a c b: a 0.508 c 0.132 b 0.360
          hero/2 of c b: c 0.328 b 0.672
          hero/1 of a c b: a 0.508 c 0.132 b 0.360
          hero/2 of c b: c 0.328 b 0.672
        the propensity alone
          hero/1 of a c b: a 0.889 c 0.055 b 0.055
          hero/2 of c b: c 0.500 b 0.500
          hero/1 of a c b: a 0.889 c 0.055 b 0.055
          hero/2 of c b: c 0.500 b 0.500
    "#]]
    .assert_eq(&shown);
}

/// Offers whose propensity a model says.
const SCORED: &str = "
offers: { a: { placements: [hero], value: 1 }, b: { placements: [hero], value: 2 } }
placements: { hero: { model: m } }
";

#[test]
fn a_model_is_believed_if_it_is_the_one_that_decided_and_asked_again_if_not() {
    let graph = Graph::new()
        .input("table", FLOAT, &[-1, 2])
        .node("Sigmoid", &["table"], "score")
        .output("score", FLOAT, &[-1, 2])
        .bytes();
    let sha256 = Sha256::digest(&graph);
    let sha256 = sha256.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    });
    let manifest = |b: &str| {
        format!(
            "model: m\nfile: model.onnx\ninputs:\n  - {{ column: a, from: profile.traits.a, unknown: nan }}\n  \
             - {{ column: b, from: {b}, unknown: nan }}\noutput: {{ name: score, class: 1 }}\n"
        )
    };
    let shared = manifest("profile.traits.b");
    // The model that decided said 0.9 of `a` and 0.1 of `b`; the one in the folder says of both what its second column is.
    let log = |version: &str, row: &str| {
        format!(
            r#"{{"decision_id":"d1","customer":"c","placement":"hero","offers":[{{"offer":"a","propensity":0.9,"probability":0.5,"reward":1,"value":1,"inputs":{{"model":"m","row":{row}}}}}],"losers":[{{"offer":"b","reason":"OUTRANKED","propensity":0.1,"value":2}}],"models":[{{"name":"m","version":"{version}"}}],"bundle":"x","decided_at":"2026-01-01T00:00:00Z"}}"#
        )
    };
    let old = log(&sha256, "[1,2]").replace("\"models\"", "\"modules\"");
    let mut shown = String::new();
    for (name, log, manifest) in [
        ("the same file", log(&sha256, "[1,2]"), &shared),
        ("another file", log("0123", "[null,2]"), &shared),
        ("other columns", log("0123", "[1]"), &shared),
        (
            "a model of offers",
            log("0123", "[1,2]"),
            &manifest("0 - 3 * offer.value"),
        ),
        (
            "a model of both together",
            log("0123", "[1,2]"),
            &manifest("profile.traits.b * offer.value"),
        ),
        ("an earlier build", old, &shared),
    ] {
        let files = |models: &Path| {
            fs::create_dir_all(models.join("m")).unwrap();
            fs::write(models.join("m/model.onnx"), &graph).unwrap();
            fs::write(models.join("m/model.yaml"), manifest).unwrap();
        };
        write!(shown, "{name}\n{}", choices_with(&log, SCORED, files)).unwrap();
    }
    expect![[r#"
        the same file
          hero/1 of a b: a 1.000
        another file
          hero/1 of a b: b 1.000
        other columns
          model `m` did not decide, and no row with its columns is in the log
        a model of offers
          hero/1 of a b: a 1.000
        a model of both together
          `b` of model `m` looks at the customer and at the offer, and the log has the rows of the offers that were given alone
        an earlier build
          the decision does not name the versions of its models: an earlier build logged it
    "#]].assert_eq(&shown);
}

/// What policies do at every place of a log.
fn choices(log: &str, policies: &str) -> String {
    choices_with(log, policies, |_| {})
}

/// - `files`: writes the models.
fn choices_with(log: &str, policies: &str, files: impl Fn(&Path)) -> String {
    on(log, &["--policy", &format!("FOLDER:{policies}")], |args| {
        files(&args.models);
        let source = evaluate::Source::open(&args.log, args).unwrap();
        let mut known = evaluate::Known::of(&source).unwrap();
        let given = Given::read(&args.policy, &[], &args.models).unwrap();
        let policy = given.held_against(&mut known).unwrap();
        let mut shown = String::new();
        source
            .each(&mut |_, logged| {
                let logged = logged.unwrap();
                let Policy::Folder(folder) = &policy else {
                    panic!("another policy");
                };
                let choices = match folder.choices(&logged, &mut known.actions) {
                    Ok(choices) => choices,
                    Err(why) => {
                        writeln!(shown, "  {why:#}").unwrap();
                        return Ok(());
                    }
                };
                let choices = choices
                    .iter()
                    .fold(String::new(), |mut text, (action, chance)| {
                        write!(text, " {} {chance:.3}", known.actions.name(*action)).unwrap();
                        text
                    });
                let of = logged.candidates.join(" ");
                writeln!(shown, "  {} of {of}:{choices}", logged.position).unwrap();
                Ok(())
            })
            .unwrap();
        shown
    })
}
