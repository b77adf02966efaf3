//! Expressions: CEL over one number type, where unknown is never zero.

use std::fmt::Write as _;

use expect_test::{Expect, expect};

use super::World;
use crate::decide::{Env, eval};

#[test]
fn expressions_are_what_they_say() {
    check(
        TABLE,
        &expect![[r#"
            1 + 2 * 3 - 4 / 8  →  6.5
            7 % 4  →  3
            1 / 0  →  unknown
            'a' + 'b' == 'ab'  →  true
            profile.traits.age + 1  →  41
            profile.traits.none + 1  →  unknown
            profile.traits.none == 1  →  unknown
            has(profile.traits.none)  →  false
            has(profile.traits.age) && profile.traits.age > 30  →  true
            profile.traits.none > 1 || true  →  true
            profile.traits.none > 1 && false  →  false
            profile.traits.none > 1 || false  →  unknown
            !(profile.traits.none > 1)  →  unknown
            profile.traits.tier in ['gold', 'silver']  →  true
            'x' in profile.traits.map  →  true
            profile.traits.list[1]  →  2
            profile.traits.list[9]  →  unknown
            profile.traits.list.all(x, x > 0)  →  true
            profile.traits.list.exists(x, x == 3)  →  true
            profile.traits.list.filter(x, x > 1).size()  →  2
            profile.traits.list.map(x, x * 2)  →  [2,4,6]
            profile.traits.list.exists(x, x > profile.traits.none)  →  unknown
            profile.traits.tier.startsWith('go') ? 'yes' : 'no'  →  "yes"
            size(profile.cart.items) == 0  →  true
            profile.cart.value  →  0
            profile.session.index  →  1
            count('Never') == 0  →  true
            last('Never')  →  unknown
            duration('1h') == 3600000  →  true
            timestamp('1970-01-01T00:00:01Z')  →  1000
            now() - ago('1d') == duration('1d')  →  true
            local_hour() * 10 + local_weekday()  →  1
            min(3, profile.traits.age) + max(1, 2)  →  5
            profile.traits.age == 'forty'  →  false
            profile.traits.age > 'forty'  →  unknown
            profile.id  →  "u1"
            profile.id.matches('^u[0-9]+$')  →  true
            profile.id.matches('[a-t]')  →  false
            profile.traits.none.matches('a')  →  unknown
            profile.traits.age.matches('4')  →  unknown
        "#]],
    );
}

const TABLE: &str = "
        1 + 2 * 3 - 4 / 8
        7 % 4
        1 / 0
        'a' + 'b' == 'ab'
        profile.traits.age + 1
        profile.traits.none + 1
        profile.traits.none == 1
        has(profile.traits.none)
        has(profile.traits.age) && profile.traits.age > 30
        profile.traits.none > 1 || true
        profile.traits.none > 1 && false
        profile.traits.none > 1 || false
        !(profile.traits.none > 1)
        profile.traits.tier in ['gold', 'silver']
        'x' in profile.traits.map
        profile.traits.list[1]
        profile.traits.list[9]
        profile.traits.list.all(x, x > 0)
        profile.traits.list.exists(x, x == 3)
        profile.traits.list.filter(x, x > 1).size()
        profile.traits.list.map(x, x * 2)
        profile.traits.list.exists(x, x > profile.traits.none)
        profile.traits.tier.startsWith('go') ? 'yes' : 'no'
        size(profile.cart.items) == 0
        profile.cart.value
        profile.session.index
        count('Never') == 0
        last('Never')
        duration('1h') == 3600000
        timestamp('1970-01-01T00:00:01Z')
        now() - ago('1d') == duration('1d')
        local_hour() * 10 + local_weekday()
        min(3, profile.traits.age) + max(1, 2)
        profile.traits.age == 'forty'
        profile.traits.age > 'forty'
        profile.id
        profile.id.matches('^u[0-9]+$')
        profile.id.matches('[a-t]')
        profile.traits.none.matches('a')
        profile.traits.age.matches('4')
    ";

fn check(expressions: &str, expected: &Expect) {
    let traits = r#"0m identify {"age":40,"tier":"gold","list":[1,2,3],"map":{"x":1}}"#;
    let mut out = String::new();
    for text in expressions
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        let quoted = serde_json::to_string(text).unwrap();
        let mut world = World::new(&format!(
            "offers:\n  o:\n    placements: [p]\n    value: {quoted}\nplacements:\n  p: {{}}\n"
        ));
        world.line(traits);
        let env = Env::new(&world.bundle, &world.profile, super::start());
        let value = eval(&world.bundle.offers["o"].value.root, &env);
        let value = value.map_or_else(|| "unknown".into(), |value| value.to_string());
        writeln!(out, "{text}  →  {value}").unwrap();
    }
    expected.assert_eq(&out);
}
