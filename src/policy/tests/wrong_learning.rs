//! What an author reads when a learner, or what a placement says of learning, is wrong.

use expect_test::expect;

use super::check_wrong;

#[test]
fn a_learner_of_an_unknown_kind_suggests_a_known_one() {
    check_wrong(
        "learners: { taste: { kind: bta, halflife: 3d } }\n",
        &expect![[r#"
            attune::bad_value

              × unknown kind of learner `bta`, did you mean `beta`?
               ╭─[shop.yaml:1:28]
             1 │ learners: { taste: { kind: bta, halflife: 3d } }
               ·                            ─┬─
               ·                             ╰── here
               ╰────
              help: write one of `beta`, `linear`, `calibrate`

            attune::unknown_key

              × unknown key `halflife` in learner `taste`, did you mean `half_life`?
               ╭─[shop.yaml:1:33]
             1 │ learners: { taste: { kind: bta, halflife: 3d } }
               ·                                 ────┬───
               ·                                     ╰── here
               ╰────
              help: keys of learner `taste` are `about`, `kind`, `prior`, `half_life`, `features`, `reward`,
                    `within`"#]],
    );
}

#[test]
fn features_belong_to_a_linear_learner() {
    check_wrong(
        "learners:\n  a: { kind: linear }\n  b: { features: { x: profile.cart.value } }\n  c: { kind: linear, features: { x: profile.cart.valu } }\n",
        &expect![[r#"
            attune::bad_value

              × a linear learner needs `features`
               ╭─[shop.yaml:2:3]
             1 │ learners:
             2 │   a: { kind: linear }
               ·   ┬
               ·   ╰── here
             3 │   b: { features: { x: profile.cart.value } }
               ╰────
              help: write `features: { NAME: EXPRESSION }`, or `kind: beta`

            attune::bad_value

              × only a linear learner looks at `features`
               ╭─[shop.yaml:3:18]
             2 │   a: { kind: linear }
             3 │   b: { features: { x: profile.cart.value } }
               ·                  ────────────┬────────────
               ·                              ╰── here
             4 │   c: { kind: linear, features: { x: profile.cart.valu } }
               ╰────
              help: write `kind: linear`, or remove them

            attune::unknown_field

              × unknown field `profile.cart.valu`, did you mean `profile.cart.value`?
               ╭─[shop.yaml:4:50]
             3 │   b: { features: { x: profile.cart.value } }
             4 │   c: { kind: linear, features: { x: profile.cart.valu } }
               ·                                                  ──┬─
               ·                                                    ╰── here
               ╰────
              help: `profile.cart` has `value`, `currency`, `items`, `item_count`, `updated_at`"#]],
    );
}

#[test]
fn too_many_features_are_a_model() {
    let features: Vec<String> = (0..16)
        .map(|n| format!("f{n}: profile.cart.value"))
        .collect();
    let text = format!(
        "learners: {{ a: {{ kind: linear, features: {{ {} }} }} }}\n",
        features.join(", ")
    );
    check_wrong(
        &text,
        &expect![[r#"
        attune::bad_value

          × 16 features are too many for a learner
           ╭─[shop.yaml:1:42]
         1 │ learners: { a: { kind: linear, features: { f0: profile.cart.value, f1: profile.cart.value, f2: profile.cart.value, f3: profile.cart.value, f4: profile.cart.value, f5: profile.cart.value, f6: profile.cart.value, f7: profile.cart.value, f8: profile.cart.value, f9: profile.cart.value, f10: profile.cart.value, f11: profile.cart.value, f12: profile.cart.value, f13: profile.cart.value, f14: profile.cart.value, f15: profile.cart.value } } }
           ·                                          ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────┬───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
           ·                                                                                                                                                                                                                                              ╰── here
           ╰────
          help: keep at most 15; a model can look at more"#]],
    );
}

#[test]
fn a_prior_says_how_often_and_how_surely() {
    check_wrong(
        "learners:\n  a: { prior: { propensity: 0, evidence: 50 } }\n  b: { prior: { propensity: 0.1 } }\n  c: { prior: { propensity: 5%, evidence: none } }\n  d: { kind: calibrate, prior: { propensity: 0.1, evidence: 5 } }\n",
        &expect![[r#"
            attune::bad_value

              × `0` cannot be `propensity`
               ╭─[shop.yaml:2:29]
             1 │ learners:
             2 │   a: { prior: { propensity: 0, evidence: 50 } }
               ·                             ┬
               ·                             ╰── here
             3 │   b: { prior: { propensity: 0.1 } }
               ╰────
              help: write a number above 0, up to 1: `0.05`

            attune::missing_key

              × `evidence` is missing in `prior`
               ╭─[shop.yaml:3:17]
             2 │   a: { prior: { propensity: 0, evidence: 50 } }
             3 │   b: { prior: { propensity: 0.1 } }
               ·                 ─────┬────
               ·                      ╰── here
             4 │   c: { prior: { propensity: 5%, evidence: none } }
               ╰────
              help: add `evidence: ..`

            attune::bad_value

              × `5%` cannot be `propensity`
               ╭─[shop.yaml:4:29]
             3 │   b: { prior: { propensity: 0.1 } }
             4 │   c: { prior: { propensity: 5%, evidence: none } }
               ·                             ─┬
               ·                              ╰── here
             5 │   d: { kind: calibrate, prior: { propensity: 0.1, evidence: 5 } }
               ╰────
              help: write a number above 0, up to 1: `0.05`

            attune::bad_value

              × `none` cannot be `evidence`
               ╭─[shop.yaml:4:43]
             3 │   b: { prior: { propensity: 0.1 } }
             4 │   c: { prior: { propensity: 5%, evidence: none } }
               ·                                           ──┬─
               ·                                             ╰── here
             5 │   d: { kind: calibrate, prior: { propensity: 0.1, evidence: 5 } }
               ╰────
              help: write how many decisions the prior counts for: `50`

            attune::bad_value

              × a learner that calibrates begins at what the model says
               ╭─[shop.yaml:5:32]
             4 │   c: { prior: { propensity: 5%, evidence: none } }
             5 │   d: { kind: calibrate, prior: { propensity: 0.1, evidence: 5 } }
               ·                                ────────────────┬───────────────
               ·                                                ╰── here
               ╰────
              help: remove `prior`, or write `kind: beta`"#]],
    );
}

#[test]
fn rewards_are_of_outcomes_and_differ() {
    check_wrong(
        "learners:\n  a: { reward: { clik: 1 } }\n  b: { reward: { click: 1 } }\n  c: { reward: { click: 2 } }\n  d: { reward: 1 }\n  e: { reward: { impression: 0 } }\n",
        &expect![[r#"
            attune::unknown_key

              × unknown key `clik` in `reward`, did you mean `click`?
               ╭─[shop.yaml:2:18]
             1 │ learners:
             2 │   a: { reward: { clik: 1 } }
               ·                  ──┬─
               ·                    ╰── here
             3 │   b: { reward: { click: 1 } }
               ╰────
              help: keys of `reward` are `impression`, `click`, `conversion`, `rejection`

            attune::bad_value

              × every outcome is worth the same: nothing can be learnt
               ╭─[shop.yaml:3:16]
             2 │   a: { reward: { clik: 1 } }
             3 │   b: { reward: { click: 1 } }
               ·                ──────┬─────
               ·                      ╰── here
             4 │   c: { reward: { click: 2 } }
               ╰────
              help: say also what it is worth when nothing more comes: `{ impression: 0, click: 1 }`

            attune::bad_value

              × `2` cannot be a reward
               ╭─[shop.yaml:4:25]
             3 │   b: { reward: { click: 1 } }
             4 │   c: { reward: { click: 2 } }
               ·                         ┬
               ·                         ╰── here
             5 │   d: { reward: 1 }
               ╰────
              help: write a number from 0 to 1

            attune::wrong_type

              × `reward` is a map, not a text
               ╭─[shop.yaml:5:16]
             4 │   c: { reward: { click: 2 } }
             5 │   d: { reward: 1 }
               ·                ┬
               ·                ╰── here
             6 │   e: { reward: { impression: 0 } }
               ╰────
              help: write it with keys: `impression`, `click`, `conversion`, `rejection`

            attune::bad_value

              × every outcome is worth the same: nothing can be learnt
               ╭─[shop.yaml:6:16]
             5 │   d: { reward: 1 }
             6 │   e: { reward: { impression: 0 } }
               ·                ────────┬────────
               ·                        ╰── here
               ╰────
              help: say also what it is worth when nothing more comes: `{ impression: 0, click: 1 }`"#]],
    );
}

#[test]
fn a_placement_names_a_learner_that_there_is() {
    check_wrong(
        "learners: { taste: {} }\nplacements: { hero: { learner: tast } }\noffers: { a: { placements: [hero] } }\n",
        &expect![[r#"
            attune::unknown_reference

              × unknown learner `tast`, did you mean `taste`?
               ╭─[shop.yaml:2:32]
             1 │ learners: { taste: {} }
             2 │ placements: { hero: { learner: tast } }
               ·                                ──┬─
               ·                                  ╰── here
             3 │ offers: { a: { placements: [hero] } }
               ╰────
              help: declared are `taste`"#]],
    );
}

#[test]
fn shares_are_percentages() {
    check_wrong(
        "learners: { taste: {} }\nplacements: { hero: { learner: taste, explore: 0.05, control: 2, holdout: 120% } }\noffers: { a: { placements: [hero] } }\n",
        &expect![[r#"
            attune::bad_value

              × `0.05` is no way to explore
               ╭─[shop.yaml:2:48]
             1 │ learners: { taste: {} }
             2 │ placements: { hero: { learner: taste, explore: 0.05, control: 2, holdout: 120% } }
               ·                                                ──┬─
               ·                                                  ╰── here
             3 │ offers: { a: { placements: [hero] } }
               ╰────
              help: write `thompson`, `none`, or how often any offer is tried: `5%`

            attune::bad_value

              × `2` is not a share of the customers
               ╭─[shop.yaml:2:63]
             1 │ learners: { taste: {} }
             2 │ placements: { hero: { learner: taste, explore: 0.05, control: 2, holdout: 120% } }
               ·                                                               ┬
               ·                                                               ╰── here
             3 │ offers: { a: { placements: [hero] } }
               ╰────
              help: write a percentage from 0 to 100: `2%`

            attune::bad_value

              × `120%` is not a share of the customers
               ╭─[shop.yaml:2:75]
             1 │ learners: { taste: {} }
             2 │ placements: { hero: { learner: taste, explore: 0.05, control: 2, holdout: 120% } }
               ·                                                                           ──┬─
               ·                                                                             ╰── here
             3 │ offers: { a: { placements: [hero] } }
               ╰────
              help: write a percentage from 0 to 100: `2%`"#]],
    );
}

#[test]
fn thompson_sampling_needs_a_learner_and_a_straight_rank() {
    check_wrong(
        "learners: { taste: {} }\nplacements:\n  a: { explore: thompson }\n  b: { learner: taste, rank: p * p * offer.value }\n  c: { learner: taste, rank: \"(p * offer.value + 1) / 2\" }\noffers: { x: { placements: [a, b, c] } }\n",
        &expect![[r#"
            attune::bad_value

              × Thompson sampling draws from what a learner believes, and there is none
               ╭─[shop.yaml:3:17]
             2 │ placements:
             3 │   a: { explore: thompson }
               ·                 ────┬───
               ·                     ╰── here
             4 │   b: { learner: taste, rank: p * p * offer.value }
               ╰────
              help: name a `learner`, or write how often any offer is tried: `5%`

            attune::bad_value

              × the rank does not grow with `p` in a straight line, so how likely a choice was cannot be told
               ╭─[shop.yaml:4:30]
             3 │   a: { explore: thompson }
             4 │   b: { learner: taste, rank: p * p * offer.value }
               ·                              ─────────┬─────────
               ·                                       ╰── here
             5 │   c: { learner: taste, rank: "(p * offer.value + 1) / 2" }
               ╰────
              help: write `p * ..` plus what does not depend on `p`, or `explore: 5%`"#]],
    );
}

#[test]
fn a_learner_replaces_a_model_or_corrects_it() {
    check_wrong(
        "learners: { taste: {}, fix: { kind: calibrate } }\nplacements:\n  a: { learner: fix }\n  b: { learner: taste, model: m }\noffers: { x: { placements: [a, b] } }\n---\nmodel: m\nfile: m.onnx\ninputs: [{ column: v, from: offer.value, type: number, unknown: 0 }]\noutput: { name: p }\n",
        &expect![[r#"
            attune::bad_value

              × the learner corrects a model, and there is none
               ╭─[shop.yaml:3:17]
             2 │ placements:
             3 │   a: { learner: fix }
               ·                 ─┬─
               ·                  ╰── here
             4 │   b: { learner: taste, model: m }
               ╰────
              help: name a `model`, or a learner of `kind: beta`

            attune::bad_value

              × the learner would take the model's place
               ╭─[shop.yaml:4:17]
             3 │   a: { learner: fix }
             4 │   b: { learner: taste, model: m }
               ·                 ──┬──
               ·                   ╰── here
             5 │ offers: { x: { placements: [a, b] } }
               ╰────
              help: remove one of them, or write `kind: calibrate` to correct the model"#]],
    );
}

#[test]
fn a_shadow_asks_no_model_about_other_offers_than_the_placement() {
    check_wrong(
        "placements:\n  a: { model: m, challenger: { model: n, mode: shadow } }\n  b: { model: m, challenger: { model: n, share: 10% } }\noffers:\n  x: { placements: [a, b], model: n }\n  y: { placements: [a, b] }\n---\nmodel: m\nfile: m.onnx\ninputs: [{ column: v, from: offer.value, type: number, unknown: 0 }]\n---\nmodel: n\nfile: n.onnx\ninputs: [{ column: v, from: offer.value, type: number, unknown: 0 }]\n",
        &expect![[r#"
            attune::bad_value

              × the shadow and the placement would ask `n` about different offers: it is offer `x`'s own model
               ╭─[shop.yaml:2:39]
             1 │ placements:
             2 │   a: { model: m, challenger: { model: n, mode: shadow } }
               ·                                       ┬
               ·                                       ╰── here
             3 │   b: { model: m, challenger: { model: n, share: 10% } }
               ╰────
              help: remove `model` of offer `x`, or let the challenger decide for a `share`"#]],
    );
}

#[test]
fn smoothing_without_a_learner_that_begins_there_is_idle() {
    check_wrong(
        "learners: { taste: {}, fix: { kind: calibrate } }\nplacements:\n  a: { model: m, smoothing: { evidence: 50, propensity: 0.3 } }\n  b: { model: m, learner: fix, smoothing: { evidence: 50, propensity: 0.3 } }\n  c: { learner: taste, smoothing: { evidence: 50, propensity: 0.3 } }\n  d: { challenger: { learner: taste, share: 5% }, smoothing: { evidence: 50, propensity: 0.3 } }\noffers: { x: { placements: [a, b, c, d] } }\n---\nmodel: m\nfile: m.onnx\ninputs: [{ column: v, from: profile.cart.value, type: number, unknown: 0 }]\n",
        &expect![[r#"
            attune::idle_smoothing

              ⚠ `smoothing` changes nothing: no learner of the placement begins there
               ╭─[shop.yaml:3:29]
             2 │ placements:
             3 │   a: { model: m, smoothing: { evidence: 50, propensity: 0.3 } }
               ·                             ────────────────┬────────────────
               ·                                             ╰── here
             4 │   b: { model: m, learner: fix, smoothing: { evidence: 50, propensity: 0.3 } }
               ╰────
              help: name a `learner` of `kind: beta` or `linear`, or remove it

            attune::idle_smoothing

              ⚠ `smoothing` changes nothing: no learner of the placement begins there
               ╭─[shop.yaml:4:43]
             3 │   a: { model: m, smoothing: { evidence: 50, propensity: 0.3 } }
             4 │   b: { model: m, learner: fix, smoothing: { evidence: 50, propensity: 0.3 } }
               ·                                           ────────────────┬────────────────
               ·                                                           ╰── here
             5 │   c: { learner: taste, smoothing: { evidence: 50, propensity: 0.3 } }
               ╰────
              help: name a `learner` of `kind: beta` or `linear`, or remove it"#]],
    );
}

#[test]
fn a_challenger_differs_and_has_a_share_or_is_a_shadow() {
    check_wrong(
        "learners: { taste: {} }\nplacements:\n  a: { challenger: { share: 10% } }\n  b: { challenger: { rank: offer.value } }\n  c: { challenger: { rank: offer.value, share: 10%, mode: shadow } }\n  d: { challenger: { learner: taste, shar: 10% } }\noffers: { x: { placements: [a, b, c, d] } }\n",
        &expect![[r#"
            attune::missing_key

              × the challenger is the same as the placement
               ╭─[shop.yaml:3:20]
             2 │ placements:
             3 │   a: { challenger: { share: 10% } }
               ·                    ───────┬──────
               ·                           ╰── here
             4 │   b: { challenger: { rank: offer.value } }
               ╰────
              help: give it another `model`, `learner`, `rank` or `explore`

            attune::missing_key

              × `share` is missing in `challenger`
               ╭─[shop.yaml:4:22]
             3 │   a: { challenger: { share: 10% } }
             4 │   b: { challenger: { rank: offer.value } }
               ·                      ──┬─
               ·                        ╰── here
             5 │   c: { challenger: { rank: offer.value, share: 10%, mode: shadow } }
               ╰────
              help: add `share: ..`

            attune::bad_value

              × a challenger in the shadow decides for nobody
               ╭─[shop.yaml:5:48]
             4 │   b: { challenger: { rank: offer.value } }
             5 │   c: { challenger: { rank: offer.value, share: 10%, mode: shadow } }
               ·                                                ─┬─
               ·                                                 ╰── here
             6 │   d: { challenger: { learner: taste, shar: 10% } }
               ╰────
              help: remove `share`, or `mode: shadow`

            attune::unknown_key

              × unknown key `shar` in `challenger`, did you mean `share`?
               ╭─[shop.yaml:6:38]
             5 │   c: { challenger: { rank: offer.value, share: 10%, mode: shadow } }
             6 │   d: { challenger: { learner: taste, shar: 10% } }
               ·                                      ──┬─
               ·                                        ╰── here
             7 │ offers: { x: { placements: [a, b, c, d] } }
               ╰────
              help: keys of `challenger` are `model`, `learner`, `rank`, `explore`, `share`, `mode`"#]],
    );
}
