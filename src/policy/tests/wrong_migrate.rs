//! What can be wrong with `migrate:`.

use expect_test::expect;

use super::check_wrong;

const JOURNEY: &str = "journey: j\nenter: { event: Product Viewed }\nsteps: [wait: 1d, stop]\n";

#[test]
fn a_target_must_be_a_step_of_this_revision() {
    check_wrong(
        &(JOURNEY.to_owned() + "migrate: { steps: { '0': '7', '1': exit } }"),
        &expect![[r#"
            attune::unknown_label

              × this revision has no step `7`
               ╭─[shop.yaml:4:26]
             3 │ steps: [wait: 1d, stop]
             4 │ migrate: { steps: { '0': '7', '1': exit } }
               ·                          ─┬─
               ·                           ╰── here
               ╰────
              help: its steps are `0`, `1`; or write `exit`"#]],
    );
}

#[test]
fn a_revision_has_sixteen_digits() {
    check_wrong(
        &(JOURNEY.to_owned() + "migrate: { from: 41, steps: same }"),
        &expect![[r#"
            attune::bad_value

              × `41` is not a revision of a journey
               ╭─[shop.yaml:4:18]
             3 │ steps: [wait: 1d, stop]
             4 │ migrate: { from: 41, steps: same }
               ·                  ─┬
               ·                   ╰── here
               ╰────
              help: it has 16 hex digits, as `attune policies --json` shows it"#]],
    );
}

#[test]
fn another_word_is_refused() {
    check_wrong(
        &(JOURNEY.to_owned() + "migrate: all"),
        &expect![[r#"
        attune::bad_value

          × unknown migration `all`
           ╭─[shop.yaml:4:10]
         3 │ steps: [wait: 1d, stop]
         4 │ migrate: all
           ·          ─┬─
           ·           ╰── here
           ╰────
          help: write one of `exit`, `same`"#]],
    );
}

#[test]
fn the_end_of_a_journey_has_nothing_else() {
    check_wrong(
        "journey: j\nmigrate: exit\nholdout: 10%",
        &expect![[r#"
        attune::unknown_key

          × unknown key `holdout` in the end of a journey
           ╭─[shop.yaml:3:1]
         2 │ migrate: exit
         3 │ holdout: 10%
           · ───┬───
           ·    ╰── here
           ╰────
          help: keys of the end of a journey are `journey`, `about`, `migrate`"#]],
    );
}
