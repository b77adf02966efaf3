//! `attune why`, `attune eval` and `attune explain` against a real server, where time is the stream's.

use std::process::Command;

use async_nats::jetstream::Context;
use expect_test::{Expect, expect};
use regex::Regex;
use serde_json::{Value, json};

use crate::reload::until_live;
use crate::server::{Attune, PATIENCE, Place, good};

const POLICY: &str = "\
journey: hello
about: Greets who is good.
enter:
  event: Good
  where:
    - event.properties.item > 0
    - profile.traits.plan == 'gold'
exit: { when: profile.traits.gone == true }
steps:
  - wait: 1h
  - send: { channel: email, template: hello }
---
offers:
  tea: { placements: [hero], value: 3 }
  cake: { placements: [hero], value: 5, eligible: profile.traits.plan == 'silver' }
  water: { placements: [hero] }
placements: { hero: {} }
";

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_a_journey_and_an_expression_are_explained() {
    let place = Place::new("nats: { partitions: 1 }\n");
    place.write("policies/hello.yaml", POLICY);
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    let gold = json!({ "type": "identify", "messageId": "b-1", "traits": { "plan": "gold" } });
    let told = [
        good("ada", &json!({ "messageId": "a-1" })),
        good("bert", &gold),
        good("bert", &json!({ "messageId": "b-2" })),
    ];
    for event in &told {
        publish(&jetstream, event).await;
    }
    for customer in ["ada", "bert"] {
        decided(&attune, customer).await;
    }
    let asks = Asks {
        place: &place,
        url: attune.url(),
    };
    asks.check(&["why", "ada", "hello"], &expect![[r#"
        exit 0
        ada did not enter hello at <time> (WHERE)  policy rev 1  policies/hello.yaml:1
          last: <time>  hello did not begin, its condition is not true (WHERE): profile.traits.plan == 'gold' [unknown == "gold"] policies/hello.yaml:7

        An entry by Good (a-1) at <time>, by the customer as they are now
          ✓ enter.event  Good                                                       Good a-1 <time>
          ✓ where[0]     event.properties.item > 0                                  1 > 0
          ✗ where[1]     profile.traits.plan == 'gold'                              unknown == "gold"   ← blocked here  policies/hello.yaml:7
          ✓ on_repeat    while a run is in progress, another entry changes nothing  no run is in progress
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Would have entered if profile.traits.plan were 'gold'.  policies/hello.yaml:7

        A send of `hello` by email, if it left at <time>  policies/hello.yaml:11
          ✗ consent      the customer has said yes to marketing by email   profile.consent.email.marketing [unknown]   ← blocked here  policies/hello.yaml:11
          ✓ suppression  neither the address, nor the channel, nor the customer is on the suppression list  nothing is on the list
          ✗ address      there is an address: profile.traits.email         profile.traits.email [unknown]   policies/hello.yaml:11
          ✓ quiet_hours  at any time of the day: there are no quiet hours
          ✓ limits       as often as it comes: there is no frequency cap
          ✓ priority     no journey of a higher priority sends there at that moment; this one has 0  priority 0; no other run may send there
        Would leave if the customer said yes to marketing by email and profile.traits.email were known.
    "#]]);
    asks.check(&["why", "bert", "hello"], &expect![[r#"
        exit 0
        bert is in hello since <time>  policy rev 1  policies/hello.yaml:1
          last: <time>  hello run 1 began

        Run 1, in since <time>, is at step 0  policies/hello.yaml:10
          wait 1 hour
          waits since <time>, until <time>
          ✗ exit  when profile.traits.gone == true (exit)  unknown == true   policies/hello.yaml:8

        An entry at <time>
          · enter.event  Good                                                       no event is at hand
          · where[0]     event.properties.item > 0                                  depends on what is not at hand
          ✓ where[1]     profile.traits.plan == 'gold'                              "gold" == "gold"
          ✗ on_repeat    while a run is in progress, another entry changes nothing  run 1   ← blocked here  policies/hello.yaml:1
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Would enter if run 1 had ended.  policies/hello.yaml:1

        A send of `hello` by email, if it left at <time>  policies/hello.yaml:11
          ✓ exit         no exit: when profile.traits.gone == true         unknown == true
          ✗ consent      the customer has said yes to marketing by email   profile.consent.email.marketing [unknown]   ← blocked here  policies/hello.yaml:11
          ✓ suppression  neither the address, nor the channel, nor the customer is on the suppression list  nothing is on the list
          ✗ address      there is an address: profile.traits.email         profile.traits.email [unknown]   policies/hello.yaml:11
          ✓ quiet_hours  at any time of the day: there are no quiet hours
          ✓ limits       as often as it comes: there is no frequency cap
          ✓ priority     no journey of a higher priority sends there at that moment; this one has 0  priority 0; no other run may send there
        Would leave if the customer said yes to marketing by email and profile.traits.email were known.
    "#]]);
    asks.check(&["why", "bert", "hello", "--at", "0s"], &expect![[r#"
        exit 0
        bert is in hello since <time>  policy rev 1  policies/hello.yaml:1
          last: <time>  hello run 1 began
          2 events of the stream played again up to <time>, by the live policies and without decide calls

        Run 1, in since <time>, is at step 0  policies/hello.yaml:10
          wait 1 hour
          waits since <time>, until <time>
          ✗ exit  when profile.traits.gone == true (exit)  unknown == true   policies/hello.yaml:8

        An entry by Good (b-2) at <time>
          ✓ enter.event  Good                                                       Good b-2 <time>
          ✓ where[0]     event.properties.item > 0                                  1 > 0
          ✓ where[1]     profile.traits.plan == 'gold'                              "gold" == "gold"
          ✓ on_repeat    while a run is in progress, another entry changes nothing  no run is in progress
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Entered.

        A send of `hello` by email, if it left at <time>  policies/hello.yaml:11
          ✓ exit         no exit: when profile.traits.gone == true         unknown == true
          ✗ consent      the customer has said yes to marketing by email   profile.consent.email.marketing [unknown]   ← blocked here  policies/hello.yaml:11
          ✓ suppression  neither the address, nor the channel, nor the customer is on the suppression list  nothing is on the list
          ✗ address      there is an address: profile.traits.email         profile.traits.email [unknown]   policies/hello.yaml:11
          ✓ quiet_hours  at any time of the day: there are no quiet hours
          ✓ limits       as often as it comes: there is no frequency cap
          ✓ priority     no journey of a higher priority sends there at that moment; this one has 0  priority 0; no other run may send there
        Would leave if the customer said yes to marketing by email and profile.traits.email were known.
    "#]]);
    asks.check(&["why", "bert", "--placement", "hero"], &expect![[r#"
        exit 0
        hero for bert  policies/hello.yaml:17

        If it were asked for at <time>
          ✓ 1. tea  priority 3: P 1.0 × C 1.0 × V 3.0 × L 1.0; chosen with probability 1.0
              policies/hello.yaml:14
          then water with 1.0, behind by 2.0
          ✗ cake  INELIGIBLE  profile.traits.plan == 'silver' ["gold" == "silver"] policies/hello.yaml:15
              policies/hello.yaml:15  would be different if profile.traits.plan were 'silver'
          ✗ water  OUTRANKED  after tea
              policies/hello.yaml:16  would be different if its priority were above 3.000000 (1.000000)
    "#]]);
    // Before the first event bert had no plan.
    asks.check(&["why", "bert", "--placement", "hero", "--at", "1d"], &expect![[r#"
        exit 0
        hero for bert  policies/hello.yaml:17
          0 events of the stream played again up to <time>, by the live policies and without decide calls
          learners, budgets and models are those of this moment

        If it were asked for at <time>
          ✓ 1. tea  priority 3: P 1.0 × C 1.0 × V 3.0 × L 1.0; chosen with probability 1.0
              policies/hello.yaml:14
          then water with 1.0, behind by 2.0
          ✗ cake  INELIGIBLE  profile.traits.plan == 'silver' [unknown == "silver"] policies/hello.yaml:15
              policies/hello.yaml:15  would be different if profile.traits.plan were 'silver'
          ✗ water  OUTRANKED  after tea
              policies/hello.yaml:16  would be different if its priority were above 3.000000 (1.000000)
    "#]]);
    asks.check(
        &["why", "bert", "--at", "1d"],
        &expect![[r#"
        exit 2
        error: the following required arguments were not provided:
          <JOURNEY|--placement <NAME>>

        Usage: attune why --at <TIME> --url <URL> <JOURNEY|--placement <NAME>> <CUSTOMER>

        For more information, try '--help'.
    "#]],
    );
    asks.check(
        &["why", "bert", "--placement", "hero", "--event", "{}"],
        &expect![[r#"
            exit 2
            error: the argument '--placement <NAME>' cannot be used with '--event <JSON>'

            Usage: attune why --placement <NAME> --url <URL> <CUSTOMER> [JOURNEY]

            For more information, try '--help'.
        "#]],
    );
    asks.check(
        &["why", "bert", "hello", "--context", "{}"],
        &expect![[r#"
            exit 2
            error: the argument '[JOURNEY]' cannot be used with '--context <JSON>'

            Usage: attune why --url <URL> <CUSTOMER> <JOURNEY>

            For more information, try '--help'.
        "#]],
    );
    asks.check(&["why", "bert", "--placement", "hreo"], &expect![[r#"
        exit 1
        error: unknown placement `hreo`, did you mean `hero`? the policies have `hero` (404 Not Found)
    "#]]);
    asks.check(&["why", "ada", "helo"], &expect![[r#"
        exit 1
        error: unknown journey `helo`, did you mean `hello`? the live policies have `hello` (404 Not Found)
    "#]]);
    asks.check(
        &["why", "nobody", "hello"],
        &expect![[r#"
        exit 1
        error: nothing is known of customer `nobody` (404 Not Found)
    "#]],
    );
    asks.check(
        &[
            "eval",
            "profile.traits.plan == 'gold'",
            "--customer",
            "bert",
        ],
        &expect![[r#"
            exit 0
            true
        "#]],
    );
    asks.check(
        &["eval", "profile.traits.plan", "--customer", "ada"],
        &expect![[r#"
            exit 0
            unknown
              profile.traits.plan: the customer has no such trait
        "#]],
    );
    asks.check(
        &["eval", "profile.cart.valu", "--customer", "ada"],
        &expect![[r#"
            exit 1
            error: the expression is not right
            attune::unknown_field

              × unknown field `profile.cart.valu`, did you mean `profile.cart.value`?
               ╭─[expression:1:14]
             1 │ profile.cart.valu
               ·              ──┬─
               ·                ╰── here
               ╰────
              help: `profile.cart` has `value`, `currency`, `items`, `item_count`, `updated_at`
        "#]],
    );
    asks.check(
        &[
            "eval",
            "profile.traits.plan",
            "--customer",
            "bert",
            "--at",
            "0s",
        ],
        &expect![[r#"
            exit 0
            "gold"
            at <time>: 2 events of the stream played again by the live policies
        "#]],
    );
    asks.check(
        &[
            "eval",
            "profile.traits.plan",
            "--customer",
            "bert",
            "--at",
            "9d",
        ],
        &expect![[r#"
            exit 0
            unknown
              profile.traits.plan: the customer has no such trait
            at <time>: 0 events of the stream played again by the live policies
        "#]],
    );
    let explained = asks.run(&["explain", "hello"]);
    assert!(explained.contains("send `hello` by email"), "{explained}");
    let explained = asks.run(&["explain", "hero"]);
    assert!(
        explained.contains("only who may have it: profile.traits.plan == 'silver'"),
        "{explained}"
    );
    let explained = asks.run(&["explain", "policies/hello.yaml", "--format", "mermaid"]);
    assert!(explained.contains("flowchart TD"), "{explained}");
    let explained = asks.run(&["explain", "hero", "--format", "mermaid"]);
    assert!(explained.contains("only journeys are drawn"), "{explained}");
}

/// Whoever enters waits.
fn waits(conditions: &str) -> String {
    format!("journey: hello\nenter: {{ event: Good{conditions} }}\nsteps: [ {{ wait: 1h }} ]\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_past_is_accounted_for_by_the_policies_of_the_time() {
    let place = Place::new("nats: { partitions: 1 }\n");
    place.write(
        "policies/hello.yaml",
        waits(", where: profile.traits.plan == 'gold'"),
    );
    let nats = place.nats(None).await;
    let attune = place.serve(&nats.url()).await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let jetstream = async_nats::jetstream::new(client);
    publish(&jetstream, &good("ada", &json!({ "messageId": "a-1" }))).await;
    decided(&attune, "ada").await;
    let first = attune::clock::now().to_string();
    place.write("policies/hello.yaml", waits(""));
    until_live(&attune, 2).await;
    publish(&jetstream, &good("ada", &json!({ "messageId": "a-2" }))).await;
    said(&attune, "ada", "began").await;
    let second = attune::clock::now().to_string();
    place.write("policies/hello.yaml", waits("").replace("hello", "bye"));
    until_live(&attune, 3).await;
    let asks = Asks {
        place: &place,
        url: attune.url(),
    };
    let at = |journey: &str, time: &str| {
        let said = asks.run(&["why", "ada", journey, "--at", time]);
        let shown = said.lines().take_while(|line| !line.contains("A send"));
        let shown: Vec<&str> = shown.collect();
        shown.join("\n") + "\n"
    };
    let said = [
        at("hello", "1d"),
        at("hello", &first),
        at("hello", &second),
        at("hello", "0s"),
        at("bye", &second),
    ];
    expect![[r#"
        exit 0
        of ada and hello nothing was decided lately  policy rev 1  policies/hello.yaml:1
          0 events of the stream played again up to <time>, by revision 1 (since <time>) of the policies, with the models of today and without decide calls

        An entry at <time>
          · enter.event  Good                                                       no event is at hand
          ✗ where        profile.traits.plan == 'gold'                              unknown == "gold"   ← blocked here  policies/hello.yaml:2
          ✓ on_repeat    while a run is in progress, another entry changes nothing  no run is in progress
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Would enter if profile.traits.plan were 'gold'.  policies/hello.yaml:2

        exit 0
        ada did not enter hello at <time> (WHERE)  policy rev 1  policies/hello.yaml:1
          last: <time>  hello did not begin, its condition is not true (WHERE): profile.traits.plan == 'gold' [unknown == "gold"] policies/hello.yaml:2
          1 events of the stream played again up to <time>, by revision 1 (since <time>) of the policies, with the models of today and without decide calls

        An entry by Good (a-1) at <time>
          ✓ enter.event  Good                                                       Good a-1 <time>
          ✗ where        profile.traits.plan == 'gold'                              unknown == "gold"   ← blocked here  policies/hello.yaml:2
          ✓ on_repeat    while a run is in progress, another entry changes nothing  no run is in progress
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Would have entered if profile.traits.plan were 'gold'.  policies/hello.yaml:2

        exit 0
        ada is in hello since <time>  policy rev 2  policies/hello.yaml:1
          last: <time>  hello run 1 began
          2 events of the stream played again up to <time>, by revisions 1 (since <time>), 2 (since <time>) of the policies, with the models of today and without decide calls

        Run 1, in since <time>, is at step 0  policies/hello.yaml:3
          wait 1 hour
          waits since <time>, until <time>

        An entry by Good (a-2) at <time>
          ✓ enter.event  Good                                                       Good a-2 <time>
          ✓ on_repeat    while a run is in progress, another entry changes nothing  no run is in progress
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Entered.

        exit 0
        ada is in hello since <time>  policy rev 3  policies/hello.yaml:1
          last: <time>  hello run 1 began
          2 events of the stream played again up to <time>, by revisions 1 (since <time>), 2 (since <time>), 3 (since <time>) of the policies, with the models of today and without decide calls

        Run 1, in since <time>, is at step 0  policies/hello.yaml:3
          wait 1 hour
          waits since <time>, until <time>

        An entry by Good (a-2) at <time>
          ✓ enter.event  Good                                                       Good a-2 <time>
          ✓ on_repeat    while a run is in progress, another entry changes nothing  no run is in progress
          ✓ reentry      again as soon as a run has ended                           no run has ended that is remembered
        Entered.

        exit 1
        error: unknown journey `bye`; those of <time>, revision 2, have `hello` (404 Not Found)
    "#]].assert_eq(&said.join("\n"));
}

#[test]
fn an_expression_is_evaluated_for_the_customer_of_a_file_without_a_server() {
    let place = Place::new("");
    place.write("policies/hello.yaml", POLICY);
    place.write(
        "policies/more.yaml",
        "segments: { busy: \"count('Seen', '1h') >= 2\" }\nfeatures: { seen: { count: Seen } }\n",
    );
    place.write("ada.yaml", "\
traits: { plan: gold }
consent: { email: granted }
events:
  - { event: Seen, timestamp: 2026-01-05T10:00:00Z }
  - { event: Product Added, timestamp: 2026-01-05T10:10:00Z, properties: { product_id: pen, price: 3 } }
  - { event: Seen, timestamp: 2026-01-05T10:20:00Z }
");
    let served = json!({
        "id": "bert", "traits": { "plan": "none" }, "features": { "seen": 3 },
        "cart": { "items": [{ "product_id": "hat", "price": 5, "quantity": 2 }], "currency": "EUR" },
        "consent": { "email": { "marketing": "denied" } }, "suppressions": [], "journeys": [],
        "last_input_at": "2026-01-05T10:00:00.000Z",
    });
    place.write("bert.json", served.to_string());
    place.write("wrong.json", r#"{ "trait": {} }"#);
    let asks = Asks {
        place: &place,
        url: "http://127.0.0.1:1".into(),
    };
    let ada = |expression, more: &[&str]| {
        asks.run(&[&["eval", expression, "--profile", "ada.yaml"], more].concat())
    };
    let bert = |expression| asks.run(&["eval", expression, "--profile", "bert.json"]);
    let said = [
        ada("in_segment('busy') && profile.cart.value == 3", &[]),
        ada("in_segment('busy')", &["--at", "2026-01-05T10:19:00Z"]),
        ada("in_segment('busy')", &["--at", "2026-01-05T11:00:00Z"]),
        ada("profile.consent.email", &[]),
        ada(
            "event.properties.n + 1",
            &["--event", r#"{"event":"Good","properties":{"n":1}}"#],
        ),
        bert("profile.cart.value"),
        bert("profile.consent.email"),
        bert("profile.features.seen"),
        asks.run(&["eval", "1", "--profile", "wrong.json"]),
        asks.run(&["eval", "1", "--profile", "none.json"]),
        asks.run(&["eval", "profile.trait.plan", "--profile", "ada.yaml"]),
    ];
    expect![[r#"
        exit 0
        true
        at <time>: the customer of the file, after 3 events
        exit 0
        false
        at <time>: the customer of the file, after 2 events
        exit 0
        true
        at <time>: the customer of the file, after 3 events
        exit 0
        "granted"
        at <time>: the customer of the file, after 3 events
        exit 0
        2
        at <time>: the customer of the file, after 3 events
        exit 0
        10
        left out, because it follows from `events` alone: `features`
        at <time>: the customer of the file, after 0 events
        exit 0
        "denied"
        left out, because it follows from `events` alone: `features`
        at <time>: the customer of the file, after 0 events
        exit 1
        left out, because it follows from `events` alone: `features`
        error: the expression asks what happened before, and the file has no `events` of it
        exit 1
        error: `wrong.json` is no profile: `traits`, `consent`, `timezone`, `events` (in Segment's form), or the answer of `GET /v1/customers/{id}`: unknown field `trait`, expected one of `id`, `traits`, `consent`, `timezone`, `events`, `cart`, `suppressions`, `last_input_at`, `session`, `features`, `journeys`, `next_timer`, `past`, `offers_given`, `contacts` at line 1 column 9
        exit 1
        error: cannot read `none.json`: No such file or directory (os error 2)
        exit 1
        error: the expression is not right
        attune::unknown_field

          × unknown field `profile.trait`, did you mean `profile.traits`?
           ╭─[expression:1:9]
         1 │ profile.trait.plan
           ·         ──┬──
           ·           ╰── here
           ╰────
          help: `profile` has `id`, `traits`, `features`, `cart`, `session`, `consent`

    "#]].assert_eq(&said.concat());
}

async fn publish(jetstream: &Context, event: &Value) {
    let payload = event.to_string().into();
    let stored = jetstream.publish("attune.events.any", payload).await;
    stored.unwrap().await.unwrap();
}

/// Waits until something was decided for a customer.
async fn decided(attune: &Attune, customer: &str) {
    said(attune, customer, "\"text\"").await;
}

/// Waits until the timeline of a customer says something.
async fn said(attune: &Attune, customer: &str, what: &str) {
    let path = format!("/v1/customers/{customer}/timeline?journey=hello");
    let wait = async {
        loop {
            let answer = attune.get(&path).await;
            if answer.is_some_and(|(status, body)| status == 200 && body.contains(what)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.unwrap_or_else(|_| panic!("nobody says `{what}` of {customer}: {}", attune.log()));
}

/// Asks from a command line.
struct Asks<'a> {
    place: &'a Place,
    url: String,
}

impl Asks<'_> {
    /// Runs a command; returns its exit code and everything it says, without the times.
    fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
        command.current_dir(self.place.path("")).args(arguments);
        command.env("ATTUNE_URL", &self.url).env("NO_COLOR", "1");
        let output = command.output().unwrap();
        let code = output.status.code().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        let time = Regex::new(r"\d{4}-\d\d-\d\dT[0-9:.]+Z").unwrap();
        format!("exit {code}\n{}", time.replace_all(&text, "<time>"))
    }

    fn check(&self, arguments: &[&str], expected: &Expect) {
        expected.assert_eq(&self.run(arguments));
    }
}
