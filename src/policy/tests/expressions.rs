//! Expressions as they are read: every parenthesis shown.

use expect_test::{Expect, expect};

use crate::policy::Place;
use crate::policy::expr::{self, Scope, Site};
use crate::policy::registry::Registry;

#[test]
fn operators_bind_as_in_cel() {
    check(
        "
        1 + 2 * 3 - 4 / 5 % 6
        1 - 2 - 3
        true || false && true || false
        !true && false || -1 < 2
        1 + 1 == 2 && 'a' in ['a'] || 3 >= 2
        true ? 1 : false ? 2 : 3
        (true ? false : true) ? 1 : 2
        -1 * -event.properties.x
        - -1
        !!profile.traits.a
        -profile.cart.value.abs
        (1 < 2) == (3 > 2)
        1 in [1, 2,] && 2 != 3
        ",
        &expect![[r#"
            ((1 + (2 * 3)) - ((4 / 5) % 6))
            ((1 - 2) - 3)
            ((true || (false && true)) || false)
            ((false && false) || ((-1) < 2))
            ((((1 + 1) == 2) && ("a" in ["a"])) || (3 >= 2))
            (true ? 1 : (false ? 2 : 3))
            ((true ? false : true) ? 1 : 2)
            ((-1) * (-event.properties.x))
            1
            (!(!profile.traits.a))
            20..23 `profile.cart.value` is a single value and has no field `abs`
            ((1 < 2) == (3 > 2))
            ((1 in [1, 2]) && (2 != 3))
        "#]],
    );
}

#[test]
fn literals_are_numbers_texts_lists_and_maps() {
    check(
        r#"
        0x1F + 1.5e3 + .5 + 7u + 1e-2
        'it\'s' + "a \"b\"" + 'Aé😀\101\n'
        '''a 'b' c''' + """d "e" f"""
        r'a\b' + R"c\d"
        [] == {} || [1, [2]] == {'a': {'b': null}}
        true != false // why
        "#,
        &expect![[r#"
            ((((31 + 1500) + 0.5) + 7) + 0.01)
            (("it's" + "a \"b\"") + "Aé😀A\n")
            ("a 'b' c" + "d \"e\" f")
            ("a\\b" + "c\\d")
            (([] == {}) || ([1, [2]] == {"a": {"b": null}}))
            (true != false)
        "#]],
    );
}

#[test]
fn paths_calls_and_macros_chain() {
    check(
        "
        event.properties.items[0].name.startsWith('a')
        event.properties['odd key']['b'].c
        profile.cart.items.filter(x, x.price > 10).map(y, y.price).size() > 0
        profile.cart.items.exists_one(x, x.quantity == 1)
        size(profile.cart.items.all(x, has(x.price)) ? 'a' : 'b')
        has(profile.traits.a) && has(event.properties['b'])
        profile.traits.a.b.c.lower().contains('x')
        {'a': 1}.a == [1][0]
        ",
        &expect![[r#"
            event.properties.items[0].name.startsWith("a")
            event.properties["odd key"]["b"].c
            (size(profile.cart.items.filter(x, (x.price > 10)).map(y, y.price)) > 0)
            profile.cart.items.exists_one(x, (x.quantity == 1))
            size((profile.cart.items.all(x, has(x.price)) ? "a" : "b"))
            (has(profile.traits.a) && has(event.properties["b"]))
            lower(profile.traits.a.b.c).contains("x")
            ({"a": 1}.a == [1][0])
        "#]],
    );
}

#[test]
fn constants_are_folded() {
    check(
        "
        duration('1h30m') + 1
        timestamp('2026-01-31T10:00:00+01:00') < now()
        ago('1d') > event.timestamp
        duration(event.properties.x)
        !true
        ",
        &expect![[r#"
            (5400000 + 1)
            (1769850000000 < now())
            ((now() - 86400000) > event.timestamp)
            duration(event.properties.x)
            false
        "#]],
    );
}

/// Shows every line as it is read.
fn check(lines: &str, expected: &Expect) {
    let mut out = String::new();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        out.push_str(&read(line));
        out.push('\n');
    }
    expected.assert_eq(&out);
}

fn read(text: &str) -> String {
    let scope = Scope {
        site: Site::Enter,
        locals: &[],
    };
    let compiled = expr::compile(
        &text.into(),
        scope,
        &mut Registry::default(),
        &Place::default(),
    );
    match compiled {
        Ok(expr) => expr.root.to_string(),
        Err(problems) => {
            let problems: Vec<String> = problems
                .iter()
                .map(|problem| {
                    format!(
                        "{}..{} {}",
                        problem.span.start, problem.span.end, problem.message
                    )
                })
                .collect();
            problems.join("; ")
        }
    }
}
