//! Holds the project to its floors, its purity line, and the shape of its files.
//!
//! A module uses lower floors only: its own folder is free, neighbors on a floor do not know each
//! other. Test modules (`tests.rs`, `tests/`) may reach anywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::{Expect, expect};

/// The top-level modules of `src/`, from the ground up. A new module enters here first.
const FLOORS: [&[&str]; 9] = [
    &["domain"],
    &["policy"],
    &["decide"],
    &["clock", "telemetry"],
    &["store", "scoring", "stream"],
    &["actors"],
    &["release"],
    &["api"],
    &["cli", "app", "config", "dev", "main", "pages"],
];

/// The highest floor without I/O, clock, randomness, async, or logging.
const PURITY_LINE: usize = 2;

/// The floor whose modules may use each other: they start and wire the rest.
const TOP: usize = FLOORS.len() - 1;

/// Names that break purity wherever they stand. Hashed collections iterate in no fixed order.
const IMPURE_NAMES: [&str; 6] = [
    "Instant",
    "SystemTime",
    "HashMap",
    "HashSet",
    "async",
    "await",
];

/// Crates and modules of `std` that break purity.
const IMPURE_ROOTS: [&[&str]; 8] = [
    &["tokio"],
    &["tracing"],
    &["rand"],
    &["std", "fs"],
    &["std", "net"],
    &["std", "env"],
    &["std", "process"],
    &["std", "thread"],
];

/// The most lines a file may have outside tests.
const N_LINES_MAX: usize = 400;

/// The folders that are searched for Rust files.
const FOLDERS: [&str; 4] = ["src", "tests", "benches", "examples"];

#[test]
fn the_project_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in FOLDERS {
        find_rust(&root.join(folder), &mut files);
    }
    assert!(!files.is_empty(), "no Rust files found");

    let mut faults = String::new();
    for path in files {
        let source = fs::read_to_string(&path).expect("a Rust file is text");
        let name = path.strip_prefix(root).expect("found below the root");
        faults += &check(&name.to_string_lossy(), &source);
    }
    assert!(faults.is_empty(), "\n{faults}");
}

#[test]
fn lower_floors_and_the_own_folder_are_free() {
    fails(
        "src/actors/customer.rs",
        "//! One line.
        use std::sync::Arc;
        use crate::{clock, decide::{self, step}, domain::Timestamp};
        use crate::store::Store;
        use super::partition::Partition;
        fn f() { crate::actors::mailbox::push(crate::stream::Stream::open()) }",
        &expect![""],
    );
}

#[test]
fn a_higher_floor_is_refused() {
    fails(
        "src/decide/caps.rs",
        "//! One line.
        use crate::{domain::Timestamp, store::{self, Store}};
        pub fn f() -> crate::api::Answer { super::super::clock::read() }",
        &expect![[r"
            src/decide/caps.rs:2: `decide` (floor 2) uses `store` (floor 4)
            src/decide/caps.rs:3: `decide` (floor 2) uses `api` (floor 7)
            src/decide/caps.rs:3: `decide` (floor 2) uses `clock` (floor 3)
        "]],
    );
}

#[test]
fn neighbors_do_not_know_each_other_below_the_top() {
    fails(
        "src/store/mod.rs",
        "//! One line.\nuse attune::stream;\nuse super::scoring::Score;",
        &expect![[r"
            src/store/mod.rs:2: `store` (floor 4) uses `stream` (floor 4)
            src/store/mod.rs:3: `store` (floor 4) uses `scoring` (floor 4)
        "]],
    );
    fails(
        "src/app.rs",
        "//! One line.\nuse crate::{cli, config::Config};",
        &expect![""],
    );
}

#[test]
fn an_unknown_module_is_sent_to_the_table() {
    fails(
        "src/utils.rs",
        "//! One line.",
        &expect![[r"
            src/utils.rs:1: `utils` has no floor; add it to FLOORS in tests/it/tidy.rs
        "]],
    );
    fails(
        "src/app.rs",
        "//! One line.\nuse crate::magic::wand;\nuse crate::*;",
        &expect![[r"
            src/app.rs:2: `magic` has no floor; add it to FLOORS in tests/it/tidy.rs
            src/app.rs:3: `*` has no floor; add it to FLOORS in tests/it/tidy.rs
        "]],
    );
}

#[test]
fn nothing_impure_stands_below_the_line() {
    let source = "//! One line.
        use std::{collections::{BTreeMap, HashMap}, fs, time::Instant};
        async fn f(set: HashSet<u8>) { tokio::spawn(g()).await }
        fn g() { tracing::info!(x = rand::random()); std::net::lookup(); std::time::SystemTime::now() }";
    fails(
        "src/policy/check.rs",
        source,
        &expect![[r"
            src/policy/check.rs:2: `HashMap` is below the purity line
            src/policy/check.rs:2: `Instant` is below the purity line
            src/policy/check.rs:2: `std::fs` is below the purity line
            src/policy/check.rs:3: `HashSet` is below the purity line
            src/policy/check.rs:3: `async` is below the purity line
            src/policy/check.rs:3: `await` is below the purity line
            src/policy/check.rs:3: `tokio` is below the purity line
            src/policy/check.rs:4: `SystemTime` is below the purity line
            src/policy/check.rs:4: `rand` is below the purity line
            src/policy/check.rs:4: `std::net` is below the purity line
            src/policy/check.rs:4: `tracing` is below the purity line
        "]],
    );
    fails("src/clock.rs", source, &expect![""]);
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    fails(
        "src/domain/id.rs",
        r##"//! One line: `use crate::api`.
        /* use crate::api; /* #[ignore] */ use crate::store; */
        const A: &str = "use crate::api; \" #[allow(x)]"; // use crate::api;
        const B: &str = r#"use crate::api; " #[ignore]"#;
        const C: (char, u8) = ('"', b'"');
        fn f<'a>(x: &'a str) {} const D: char = '\''; const E: &[u8] = b"use crate::api";"##,
        &expect![""],
    );
    fails(
        "src/domain/tests.rs",
        "//! One line.\nuse crate::store::Store;",
        &expect![""],
    );
    fails(
        "src/domain/tests/merge.rs",
        "//! One line.\nuse std::fs;",
        &expect![""],
    );
}

#[test]
fn every_file_says_what_it_is() {
    fails(
        "tests/it/flow.rs",
        "use std::fs;\n//! Too late.",
        &expect![[r"
            tests/it/flow.rs:1: the file does not open with `//!`
        "]],
    );
}

#[test]
fn a_long_file_is_refused_outside_tests() {
    let long = "//! One line.\n".repeat(N_LINES_MAX + 1);
    fails(
        "src/api/mod.rs",
        &long,
        &expect![[r"
            src/api/mod.rs:401: more than 400 lines
        "]],
    );
    fails(
        "src/api/mod.rs",
        &"//! One line.\n".repeat(N_LINES_MAX),
        &expect![""],
    );
    fails("src/api/tests.rs", &long, &expect![""]);
    fails("tests/it/flow.rs", &long, &expect![""]);
}

#[test]
fn no_lint_is_allowed_and_no_test_ignored() {
    fails(
        "src/api/tests.rs",
        "//! One line.
        #![allow(dead_code)]
        #[allow(clippy::pedantic)] #[expect(unused, reason = \"allow\")]
        #[cfg_attr(test, allow(unused))] #[derive(Debug)]
        #[ignore = \"slow\"] #[test] fn f(ignore: bool) { allow(ignore) }\n/// ```ignore",
        &expect![[r"
            src/api/tests.rs:2: `allow` in an attribute
            src/api/tests.rs:3: `allow` in an attribute
            src/api/tests.rs:4: `allow` in an attribute
            src/api/tests.rs:5: `ignore` in an attribute
            src/api/tests.rs:6: an example that is not compiled
        "]],
    );
}

fn fails(name: &str, source: &str, expected: &Expect) {
    expected.assert_eq(&check(name, source));
}

fn find_rust(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            find_rust(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The faults of one file, a line each, in order.
fn check(name: &str, source: &str) -> String {
    let name = name.replace('\\', "/");
    let tokens = tokens(source);
    let is_test =
        name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs");

    let mut faults = BTreeSet::new();
    check_shape(source, &tokens, is_test, &mut faults);
    if let (Some(inside), false) = (name.strip_prefix("src/"), is_test || name == "src/lib.rs") {
        check_floor(inside, &tokens, &mut faults);
    }
    faults
        .into_iter()
        .fold(String::new(), |mut text, (line, fault)| {
            let _ = writeln!(text, "{name}:{line}: {fault}");
            text
        })
}

type Faults = BTreeSet<(usize, String)>;

fn check_shape(source: &str, tokens: &[Token], is_test: bool, faults: &mut Faults) {
    if !source.starts_with("//!") {
        faults.insert((1, "the file does not open with `//!`".to_owned()));
    }
    if !is_test && source.lines().count() > N_LINES_MAX {
        faults.insert((N_LINES_MAX + 1, format!("more than {N_LINES_MAX} lines")));
    }
    for (idx, line) in source.lines().enumerate() {
        if line.trim_start().starts_with("//") && line.contains("```ignore") {
            faults.insert((idx + 1, "an example that is not compiled".to_owned()));
        }
    }
    for attribute in attributes(tokens) {
        let is_conditional = attribute[0].text == "cfg_attr";
        let named = if is_conditional {
            attribute
        } else {
            &attribute[..1]
        };
        for token in named
            .iter()
            .filter(|token| ["allow", "ignore"].contains(&token.text))
        {
            faults.insert((token.line, format!("`{}` in an attribute", token.text)));
        }
    }
}

fn check_floor(inside: &str, tokens: &[Token], faults: &mut Faults) {
    let stem = inside.trim_end_matches(".rs").trim_end_matches("/mod");
    let module = stem.split('/').next().unwrap_or(stem);
    let Some(floor) = floor_of(module) else {
        faults.insert((1, homeless(module)));
        return;
    };

    let paths = paths(tokens);
    for path in &paths {
        let Some(used) = path.top_module(stem.split('/').count()) else {
            continue;
        };
        match floor_of(used) {
            None => faults.insert((path.line, homeless(used))),
            Some(below) if below < floor || used == module || floor == TOP => false,
            Some(other) => faults.insert((
                path.line,
                format!("`{module}` (floor {floor}) uses `{used}` (floor {other})"),
            )),
        };
    }
    if floor <= PURITY_LINE {
        check_purity(&paths, tokens, faults);
    }
}

fn check_purity(paths: &[UsedPath], tokens: &[Token], faults: &mut Faults) {
    let named = tokens
        .iter()
        .filter(|token| IMPURE_NAMES.contains(&token.text));
    let mut impure: Vec<(usize, String)> = named
        .map(|token| (token.line, token.text.to_owned()))
        .collect();
    for path in paths.iter().filter(|path| path.segments.len() > 1) {
        let roots = IMPURE_ROOTS
            .iter()
            .filter(|root| path.segments.starts_with(root));
        impure.extend(roots.map(|root| (path.line, root.join("::"))));
    }
    let fault = |(line, name)| (line, format!("`{name}` is below the purity line"));
    faults.extend(impure.into_iter().map(fault));
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn homeless(module: &str) -> String {
    format!("`{module}` has no floor; add it to FLOORS in tests/it/tidy.rs")
}

/// A path as the code names it, one for each leaf of a `use` tree.
struct UsedPath<'a> {
    segments: Vec<&'a str>,
    line: usize,
}

impl UsedPath<'_> {
    /// The top-level module the path leads to, from a module `depth` below the root of the crate.
    fn top_module(&self, depth: usize) -> Option<&str> {
        let segments = match self.segments.as_slice() {
            ["crate" | "attune", rest @ ..] => return rest.first().copied(),
            ["self", rest @ ..] => rest,
            all => all,
        };
        let n_up = segments
            .iter()
            .take_while(|segment| **segment == "super")
            .count();
        if n_up < depth {
            None
        } else {
            segments.get(n_up).copied()
        }
    }
}

fn paths<'a>(tokens: &[Token<'a>]) -> Vec<UsedPath<'a>> {
    let mut paths = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].is_word() {
            at = read_path(tokens, at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    paths
}

/// Reads `a::b`, `a::*`, or `a::{b, c::d}` and returns where it ends.
fn read_path<'a>(
    tokens: &[Token<'a>],
    start: usize,
    prefix: &[&'a str],
    paths: &mut Vec<UsedPath<'a>>,
) -> usize {
    let mut at = start;
    let mut segments = prefix.to_vec();
    while let Some(token) = tokens
        .get(at)
        .filter(|token| token.is_word() || token.text == "*")
    {
        segments.push(token.text);
        at += 1;
        let goes_on = tokens.get(at).is_some_and(|token| token.text == "::");
        if !goes_on {
            break;
        }
        at += 1;
        if tokens.get(at).is_some_and(|token| token.text == "{") {
            return read_list(tokens, at + 1, &segments, paths);
        }
    }
    paths.push(UsedPath {
        segments,
        line: tokens[start].line,
    });
    at.max(start + 1)
}

fn read_list<'a>(
    tokens: &[Token<'a>],
    start: usize,
    prefix: &[&'a str],
    paths: &mut Vec<UsedPath<'a>>,
) -> usize {
    let mut at = start;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "}" => return at + 1,
            "," => at += 1,
            "as" => at += 2,
            _ => at = read_path(tokens, at, prefix, paths),
        }
    }
    at
}

/// The insides of each `#[…]` and `#![…]`.
fn attributes<'t, 'a>(tokens: &'t [Token<'a>]) -> Vec<&'t [Token<'a>]> {
    let mut found = Vec::new();
    for at in (0..tokens.len()).filter(|at| tokens[*at].text == "#") {
        let rest = &tokens[at + 1..];
        let rest = if rest.first().is_some_and(|token| token.text == "!") {
            &rest[1..]
        } else {
            rest
        };
        let end = rest
            .iter()
            .position(|token| token.text == "]")
            .unwrap_or(rest.len());
        if end > 1 && rest[0].text == "[" {
            found.push(&rest[1..end]);
        }
    }
    found
}

/// A word, `::`, or one sign of code; comments, texts, characters, and lifetimes are left out.
#[derive(Clone, Copy)]
struct Token<'a> {
    text: &'a str,
    line: usize,
}

impl Token<'_> {
    fn is_word(self) -> bool {
        self.text
            .starts_with(|sign: char| sign.is_alphabetic() || sign == '_')
    }
}

fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| text(rest)).or_else(|| quote(rest));
        let length = skipped.unwrap_or_else(|| word(rest).max(first.len_utf8()));
        let (token, after) = rest.split_at(length);
        if skipped.is_none() && !first.is_whitespace() {
            tokens.push(Token { text: token, line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The length of the word or `::` that `rest` opens with, or 0.
fn word(rest: &str) -> usize {
    if rest.starts_with("::") {
        return 2;
    }
    rest.find(|sign: char| !sign.is_alphanumeric() && sign != '_')
        .unwrap_or(rest.len())
}

/// The length of the comment that `rest` opens with; block comments nest.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        let signs = rest.as_bytes().get(at..at + 2);
        depth += i32::from(signs == Some(b"/*")) - i32::from(signs == Some(b"*/"));
        at += if [Some(&b"/*"[..]), Some(&b"*/"[..])].contains(&signs) {
            2
        } else {
            1
        };
        if depth == 0 {
            break;
        }
    }
    Some(at)
}

/// The length of the string that `rest` opens with: plain, byte, C, or raw.
fn text(rest: &str) -> Option<usize> {
    let bare = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    let raw = bare.strip_prefix('r').unwrap_or(bare);
    let n_hashes = raw.len() - raw.trim_start_matches('#').len();
    let is_raw = raw.len() < bare.len();
    let inside = raw[n_hashes..]
        .strip_prefix('"')
        .filter(|_| is_raw || n_hashes == 0)?;
    let opening = rest.len() - inside.len();
    if is_raw {
        let closing = format!("\"{}", "#".repeat(n_hashes));
        let end = inside
            .find(&closing)
            .map_or(inside.len(), |end| end + closing.len());
        return Some(opening + end);
    }
    Some(opening + closed(inside, '"'))
}

/// The length of the character or lifetime that `rest` opens with.
fn quote(rest: &str) -> Option<usize> {
    let inside = rest
        .strip_prefix("b'")
        .or_else(|| rest.strip_prefix('\''))?;
    let opening = rest.len() - inside.len();
    let mut signs = inside.chars();
    let first = signs.next()?;
    if first == '\\' || signs.next() == Some('\'') {
        return Some(opening + closed(inside, '\''));
    }
    Some(opening + word(inside))
}

/// How far the text goes on to its closing sign, which is counted; a backslash hides the next sign.
fn closed(inside: &str, closing: char) -> usize {
    let mut is_hidden = false;
    for (at, sign) in inside.char_indices() {
        if sign == closing && !is_hidden {
            return at + sign.len_utf8();
        }
        is_hidden = sign == '\\' && !is_hidden;
    }
    inside.len()
}
