//! What an author reads when nobody asks whether customers want a marketing send.

use expect_test::expect;

use super::check_wrong;

/// Checks a journey over a channel that asks for no consent.
fn check(channel: &str, journey: &str, expected: &expect_test::Expect) {
    let channel = format!("channels: {{ email: {{ consent: not_required{channel} }} }}");
    check_wrong(&format!("{channel}\n---\n{journey}"), expected);
}

const PLAIN: &str = "\
journey: j
enter: { event: Order Completed }
steps: [ { send: { channel: email, template: t } } ]
";

#[test]
fn a_marketing_send_for_which_nobody_asks() {
    check(
        "",
        PLAIN,
        &expect![[r#"
        attune::unguarded_send

          ⚠ nobody asks whether the customer wants this: channel `email` says `consent: not_required`
           ╭─[shop.yaml:5:10]
         4 │ enter: { event: Order Completed }
         5 │ steps: [ { send: { channel: email, template: t } } ]
           ·          ────────────────────┬────────────────────
           ·                              ╰── here
           ╰────
          help: add `profile.consent.email == 'granted'` to `where` of the entry, or say in `about` of the
                channel who asks"#]],
    );
}

#[test]
fn a_channel_that_says_who_asks_is_enough() {
    check(
        ", about: The list provider asks.",
        PLAIN,
        &expect!["nothing is wrong"],
    );
}

#[test]
fn a_journey_that_asks_itself_is_enough() {
    let asks = |condition: &str| {
        let journey = PLAIN.replace(
            "Order Completed }",
            &format!("Order Completed, where: {condition} }}"),
        );
        check("", &journey, &expect!["nothing is wrong"]);
    };
    asks("profile.consent.email == 'granted'");
    let segment = "segments:\n  asked: profile.consent.email == 'granted'\n---\n";
    let journey = PLAIN.replace("event: Order Completed", "segment: { entered: asked }");
    check(
        "",
        &format!("{segment}{journey}"),
        &expect![[r#"
            attune::unguarded_send

              ⚠ nobody asks whether the customer wants this: channel `email` says `consent: not_required`
               ╭─[shop.yaml:8:10]
             7 │ enter: { segment: { entered: asked } }
             8 │ steps: [ { send: { channel: email, template: t } } ]
               ·          ────────────────────┬────────────────────
               ·                              ╰── here
               ╰────
              help: add `profile.consent.email == 'granted'` to `where` of the entry, or say in `about` of the
                    channel who asks"#]],
    );
}

#[test]
fn what_is_not_marketing_needs_nobody_to_ask() {
    let journey = PLAIN.replace("enter:", "class: transactional\nenter:");
    check("", &journey, &expect!["nothing is wrong"]);
    let marketing = journey.replace("template: t", "template: t, class: marketing");
    check(
        "",
        &marketing,
        &expect![[r#"
        attune::unguarded_send

          ⚠ nobody asks whether the customer wants this: channel `email` says `consent: not_required`
           ╭─[shop.yaml:6:10]
         5 │ enter: { event: Order Completed }
         6 │ steps: [ { send: { channel: email, template: t, class: marketing } } ]
           ·          ─────────────────────────────┬─────────────────────────────
           ·                                       ╰── here
           ╰────
          help: add `profile.consent.email == 'granted'` to `where` of the entry, or say in `about` of the
                channel who asks"#]],
    );
}
