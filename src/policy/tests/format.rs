//! Policies as they are laid out.

use std::fs;
use std::path::Path;

use expect_test::{Expect, expect};

use super::fuzz::{SEEDS, mutated, number};
use super::{Source, check};
use crate::domain::Dice;
use crate::policy::format;

#[test]
fn indents_spaces_and_quotes_become_regular_and_all_else_stays() {
    check_format(
        "#modeline\n\n\njourney:   'abandoned-cart'\nabout: \"Win: back\"\nenter:\n    event: Product Added\n    where:\n    - profile.cart.value >= 50\n    -   \"profile.consent.email == 'granted'\"\n\n\n    key:    event.properties.cart_id     # one a cart\nsteps:\n-   wait: 20h\n\n-   send: {channel: email,template: \"a\",   with: {x: \"count('A', '1d')\"}}\n#the end\n",
        &expect![[r##"
            # modeline

            journey: abandoned-cart
            about: "Win: back"
            enter:
              event: Product Added
              where:
                - profile.cart.value >= 50
                - profile.consent.email == 'granted'

              key: event.properties.cart_id          # one a cart
            steps:
              - wait: 20h

              - send: { channel: email, template: a, with: { x: "count('A', '1d')" } }
            # the end
        "##]],
    );
}

#[test]
fn comments_stay_where_they_are() {
    check_format(
        "# first\njourney: j # name\nenter: # how\n  # what\n  event: A\n  # after event\ngoal:\n  event: B\n# about steps\nsteps:\n# before the first\n- branch: # arms\n    - when: a\n      then: stop\n      # in the arm\n    # before otherwise\n    - # at the dash\n      otherwise: stop\n    # end of branch\n# end of steps\n\n# end of document\n---\n\n# only a comment\n\n---\nlimits: { email: 1 per 1d }\n\n\n",
        &expect![[r#"
            # first
            journey: j  # name
            enter:  # how
              # what
              event: A
              # after event
            goal:
              event: B
            # about steps
            steps:
              # before the first
              - branch:  # arms
                  - when: a
                    then: stop
                    # in the arm
                  # before otherwise
                  # at the dash
                  - otherwise: stop
                  # end of branch
            # end of steps

            # end of document
            ---

            # only a comment

            ---
            limits: { email: 1 per 1d }
        "#]],
    );
}

#[test]
fn flow_collections_are_joined_if_they_fit() {
    check_format(
        "steps: [\n  a,\n  b ]\nlong: { first: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,\n second: [bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, c], third: \"x,\ny\" }\nwith: [ # why\n  a, # first\n  # own\n  {b: c}\n  # last\n  ]\nnone: {}\nempty: [ ]\nlist:\n- {a: [\n   1 # one\n   ]}\n- [[a]]\n",
        &expect![[r#"
            steps: [a, b]
            long: {
              first: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,
              second: [bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, c],
              third: "x, y",
            }
            with: [  # why
              a,  # first
              # own
              { b: c },
              # last
            ]
            none: {}
            empty: []
            list:
              - {
                a: [
                  1,  # one
                ],
              }
              - [[a]]
        "#]],
    );
}

#[test]
fn blocks_keep_their_lines() {
    check_format(
        "where: >-   # folded\n      a &&\n        b\n\n      c\nliteral: |\n   one\n\n   two\n\n\nkept: |+\n a\n\n\nlast:\n- |-\n z\n",
        &expect![[r#"
            where: >-   # folded
              a &&
                b

              c
            literal: |
              one

              two

            kept: |+
              a


            last:
              - |-
                z
        "#]],
    );
    check_format(
        "indented: |2\n    x\n   y\nb: 1\n",
        &expect![[r#"
        indented: |2
            x
           y
        b: 1
    "#]],
    );
    check_format(
        "begins: |\n\n  x\nb: 1\n",
        &expect![[r#"
        begins: |

          x
        b: 1
    "#]],
    );
}

#[test]
fn texts_over_several_lines_keep_their_lines() {
    check_format(
        "plain: a &&\n  b\n\n  c # tail\nbelow:\n  a ||\n  b\nquoted: \"a\n\n   b\"\nlast:\n- x\n  y\n",
        &expect![[r#"
            plain: a &&
              b

              c  # tail
            below: a ||
              b
            quoted: "a

              b"
            last:
              - x
                y
        "#]],
    );
}

#[test]
fn quotes_stay_where_they_are_needed() {
    check_format(
        r##"a: ["x", "x, y", "on", 'true', "12", "a: b", "a #b", "# c", "", "{a}", "a{b}", 'it''s', 'say "hi"', "tab\t", "caf\u00e9", "- a", "!a", "null", "x ? y : z", "(a || b)"]
b: "f(x, y)"
c: 'x[1] == "a"'
"on": 1
'key': 2
"10:00": 3
"##,
        &expect![[r##"
            a: [x, "x, y", "on", "true", "12", "a: b", "a #b", "# c", "", "{a}", "a{b}", it's, say "hi", "tab\t", café, "- a", "!a", "null", "x ? y : z", (a || b)]
            b: f(x, y)
            c: x[1] == "a"
            "on": 1
            key: 2
            "10:00": 3
        "##]],
    );
}

#[test]
fn a_file_with_windows_line_ends_gets_the_usual_ones() {
    check_format(
        "\u{feff}a: 1\r\nb:\r\n- x\r\n",
        &expect![[r#"
        a: 1
        b:
          - x
    "#]],
    );
}

#[test]
fn a_later_document_may_begin_behind_its_dashes_or_indented_below_a_comment() {
    check_format(
        "\
segments: { a: \"true\" }
--- # the second
  # and more of it
    segments:
      b: profile.traits.x == 1
... # the end of it
---\t{ segments: { c: \"true\" } }
---
# a comment
  segments:
    d: profile.traits.x == 1
",
        &expect![[r#"
            segments: { a: "true" }
            ---
            # the second
            # and more of it
            segments:
              b: profile.traits.x == 1
            ---
            # the end of it
            ---
            { segments: { c: "true" } }
            ---
            # a comment
            segments:
              d: profile.traits.x == 1
        "#]],
    );
}

#[test]
fn a_file_that_is_not_read_is_left_alone() {
    let refused = format(&Source::new("a.yaml", "a: [1\nb: 2\n")).unwrap_err();
    expect![[r#"
        attune::yaml_syntax

          × this is not YAML: illegal placement of ':' indicator
           ╭─[a.yaml:2:2]
         1 │ a: [1
         2 │ b: 2
           ·  ┬
           ·  ╰── YAML stops here
           ╰────
          help: check indents, quotes and brackets around this line
    "#]]
    .assert_eq(&refused.to_string());
}

#[test]
fn the_policies_of_the_repository_are_laid_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "policies",
        "tests/data/policies",
        "models/purchase-intent",
        "models/repeat-purchase",
    ];
    let mut n_files = 0;
    for entry in folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let laid = format(&Source::new("a.yaml", &text)).unwrap();
            assert_eq!(laid, text, "`attune fmt` lays out {}", path.display());
            n_files += 1;
        }
    }
    assert!(n_files >= 6, "{n_files} files");
}

#[test]
fn whatever_is_read_is_laid_out_once_and_for_all_and_says_the_same() {
    let (mut n_laid, mut n_refused) = (0, 0);
    for case in 0..number("ATTUNE_FUZZ_CASES", 1_500) {
        let text = mutated(&mut Dice::new(case));
        let laid = match format(&Source::new("a.yaml", &text)) {
            Ok(laid) => laid,
            Err(problems) => {
                n_refused += usize::from(problems.0.iter().any(|it| it.code == "cannot_format"));
                continue;
            }
        };
        n_laid += 1;
        let again = format(&Source::new("a.yaml", &laid)).map_err(|it| it.to_string());
        assert_eq!(again.as_deref(), Ok(laid.as_str()), "case {case}:\n{text}");
        let id = |text: &str| check(&[Source::new("a.yaml", text)]).bundle.map(|it| it.id);
        assert!(laid == text || id(&text) == id(&laid), "case {case}");
    }
    assert!(n_laid > 100, "{n_laid}");
    assert_eq!(n_refused, 0, "of {n_laid}");
}

#[test]
fn what_is_right_is_laid_out() {
    for (k, text) in SEEDS.iter().enumerate() {
        let laid = format(&Source::new("a.yaml", text)).unwrap();
        assert_eq!(format(&Source::new("a.yaml", &laid)).unwrap(), laid, "{k}");
    }
}

fn check_format(text: &str, expected: &Expect) {
    let laid = format(&Source::new("a.yaml", text)).map_err(|problems| problems.render(false));
    let laid = laid.unwrap_or_else(|problems| problems);
    expected.assert_eq(&laid);
    let again = format(&Source::new("a.yaml", &laid)).map_err(|problems| problems.render(false));
    assert_eq!(again.as_ref(), Ok(&laid));
}
