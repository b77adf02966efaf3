//! The schema that editors get says what the compiler says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use expect_test::expect;
use serde_json::Value;

use super::validator::{faults, parts};
use crate::policy::json_schema;
use crate::policy::yaml::{self, Content, Style, Yaml};
use crate::policy::{Checked, Diagnostic, Severity, Source, check};

static POLICY: LazyLock<Value> = LazyLock::new(|| json_schema::of("policy").unwrap());

/// Errors that are about the shape of a document, which a schema can see.
const SHAPES: [&str; 9] = [
    "unknown_key",
    "unknown_step",
    "unknown_document",
    "wrong_type",
    "missing_key",
    "missing_value",
    "not_supported",
    "bad_duration",
    "bad_name",
];

/// Every map and every choice of the language at least once.
const EVERYTHING: [&str; 3] = [
    include_str!("everything.yaml"),
    include_str!("../../../models/purchase-intent/model.yaml"),
    "{}",
];

#[test]
fn everything_is_right() {
    for text in &EVERYTHING[..2] {
        let checked = check(&[Source::new("a.yaml", text)]);
        assert_eq!(checked.problems.to_string(), "");
        agrees(text, &checked);
    }
}

#[test]
fn the_policies_of_the_repository_fit() {
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
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap())
    {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "yaml") {
            let text = std::fs::read_to_string(&path).unwrap();
            let faults: Vec<String> = documents(&text)
                .iter()
                .flat_map(|it| faults(&POLICY, it))
                .collect();
            assert_eq!(faults, Vec::<String>::new(), "{}", path.display());
            n_files += 1;
        }
    }
    assert!(n_files >= 6, "{n_files} files");
}

#[test]
fn every_key_of_the_schema_is_one_of_the_compiler_and_the_other_way_round() {
    let mut probe = Probe::default();
    for text in EVERYTHING {
        probe.file(text);
    }
    let mut closed = Vec::new();
    find_closed(&POLICY, &mut closed);
    for part in closed {
        let keys: BTreeSet<String> = part["properties"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        let known = probe.keys.get(&address(part));
        assert_eq!(
            known,
            Some(&keys),
            "the compiler, then the schema; is it in everything.yaml?"
        );
    }
}

#[test]
fn every_choice_of_the_schema_is_one_of_the_compiler() {
    let mut probe = Probe::default();
    for text in EVERYTHING {
        probe.file(text);
    }
    let mut left = Vec::new();
    find_choices(&POLICY, &probe.choices, &mut left);
    // Where something else may stand, too, the compiler's help is not a list of words.
    expect![[r#"
        ["never","always"]
        ["lifetime","session"]
        ["exit","same"]
        ["profile","event","entry","context","offer","p","true","false","null","in"]
        ["text","number","bool","any"]"#]]
    .assert_eq(&left.join("\n"));
}

#[test]
fn a_word_beside_a_reference_is_explained_and_every_key_has_a_description() {
    fn look(part: &Value, path: &str) {
        for (key, of) in part["properties"].as_object().into_iter().flatten() {
            let own = of.get("description").and_then(Value::as_str);
            let name = of.get("$ref").and_then(Value::as_str);
            let name = name.map(|name| name.trim_start_matches("#/definitions/"));
            let target = name.map(|name| &POLICY["definitions"][name]["description"]);
            let text = own.or_else(|| target?.as_str());
            let is_again = of == &Value::Bool(true);
            assert!(
                is_again || text.is_some_and(|text| text.ends_with('.')),
                "{path}/{key}: {text:?}"
            );
            look(of, &format!("{path}/{key}"));
        }
        let words = part.as_object().into_iter().flatten();
        for (word, of) in words.filter(|(word, _)| *word != "properties") {
            look(of, &format!("{path}/{word}"));
        }
        for of in part.as_array().into_iter().flatten() {
            look(of, path);
        }
    }
    look(&POLICY, "");
}

#[test]
fn each_kind_has_a_schema_of_its_own() {
    for (kind, _) in json_schema::KINDS {
        let schema = json_schema::of(kind).unwrap();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        assert!(!faults(&schema, &Value::from(1)).is_empty(), "{kind}");
    }
    let schema = json_schema::of("journey").unwrap();
    let journey = &documents(EVERYTHING[0])[0];
    assert_eq!(faults(&schema, journey), Vec::<String>::new());
    json_schema::of("jurney").unwrap_err();
}

/// Asks the compiler what could stand where.
#[derive(Default)]
struct Probe {
    /// Keys that the compiler names, by the part of the schema that describes the map.
    keys: BTreeMap<usize, BTreeSet<String>>,
    /// Parts whose choices were compared.
    choices: BTreeSet<usize>,
}

impl Probe {
    fn file(&mut self, text: &str) {
        let (roots, _) = yaml::read(&Source::new("a.yaml", text), &mut Vec::new());
        for root in &roots {
            self.node(text, root, &[&POLICY]);
        }
    }

    fn node(&mut self, text: &str, node: &Yaml, around: &[&'static Value]) {
        let value = json(node);
        let parts: Vec<&Value> = around
            .iter()
            .flat_map(|part| parts(&POLICY, part, &value))
            .collect();
        match &node.content {
            Content::Map(entries) => {
                self.map(text, node, &parts);
                for (key, value) in entries {
                    let key = key.text().unwrap().as_ref();
                    let below = parts.iter().filter_map(|part| entry(part, key));
                    self.node(text, value, &below.collect::<Vec<_>>());
                }
            }
            Content::List(items) => {
                let below: Vec<_> = parts.iter().filter_map(|part| part.get("items")).collect();
                for item in items {
                    self.node(text, item, &below);
                }
            }
            Content::Scalar(_) => self.choice(text, node, &parts),
            Content::Broken => panic!("everything is right"),
        }
    }

    /// Adds an unknown key to a map and learns from the help which ones are known.
    fn map(&mut self, text: &str, node: &Yaml, parts: &[&'static Value]) {
        let at = node.span.start;
        let is_flow = text[at..].starts_with('{');
        let column = at - text[..at].rfind('\n').map_or(0, |end| end + 1);
        let changed = if is_flow {
            format!("{}zz_unknown: 1, {}", &text[..=at], &text[at + 1..])
        } else {
            format!(
                "{}zz_unknown: 1\n{}{}",
                &text[..at],
                " ".repeat(column),
                &text[at..]
            )
        };
        let step = [&text[..at], "{ zz_unknown: 1 }", &text[node.span.end..]].concat();
        let known = known_by(&changed, &["unknown key `zz_unknown`", "unknown kind of"]);
        let Some(known) = known.or_else(|| known_by(&step, &["unknown step"])) else {
            return;
        };
        let closed = parts.iter().filter(|part| is_closed(part));
        let closed: Vec<_> = closed.collect();
        assert!(
            !closed.is_empty(),
            "the schema takes any key in\n{}",
            &text[at..]
        );
        for part in closed {
            self.keys
                .entry(address(part))
                .or_default()
                .extend(known.clone());
        }
    }

    /// Writes an unknown word and learns from the help which ones are known.
    fn choice(&mut self, text: &str, node: &Yaml, parts: &[&'static Value]) {
        let changed = [
            &text[..node.span.start],
            "zz_unknown",
            &text[node.span.end..],
        ]
        .concat();
        let known = known_by(&changed, &["`zz_unknown`"]);
        let Some(part) = parts.iter().find(|part| part.get("enum").is_some()) else {
            return;
        };
        let choices = part["enum"].as_array().unwrap().iter();
        let choices = choices
            .map(|word| word.as_str().unwrap().to_owned())
            .collect();
        if let Some(known) = known {
            assert_eq!(known, choices, "the compiler, then the schema");
            self.choices.insert(address(part));
        }
    }
}

/// Returns the schema of an entry that may be written.
fn entry<'s>(part: &'s Value, key: &str) -> Option<&'s Value> {
    let own = part.get("properties").and_then(|of| of.get(key));
    own.or_else(|| part.get("additionalProperties").filter(|of| of.is_object()))
}

/// Returns the words between backticks in the help of a problem.
fn known_by(text: &str, messages: &[&str]) -> Option<BTreeSet<String>> {
    let problems = check(&[Source::new("a.yaml", text)]).problems.0;
    let mut found = problems
        .iter()
        .filter(|it| messages.iter().any(|message| it.message.contains(message)));
    let help = found.next()?.help.clone()?;
    let list = ["are `", "keys `", "one of `"]
        .iter()
        .find_map(|start| help.rfind(start));
    let words = help[list?..].split('`').skip(1).step_by(2);
    Some(words.map(str::to_owned).collect())
}

fn is_closed(part: &Value) -> bool {
    part.get("properties").is_some() && part["additionalProperties"] == Value::Bool(false)
}

/// Finds every map with nothing but known keys.
fn find_closed<'s>(part: &'s Value, found: &mut Vec<&'s Value>) {
    found.extend(Some(part).filter(|part| is_closed(part)));
    part.as_object()
        .into_iter()
        .flatten()
        .for_each(|(_, of)| find_closed(of, found));
    part.as_array()
        .into_iter()
        .flatten()
        .for_each(|of| find_closed(of, found));
}

/// Finds every list of choices that was not compared.
fn find_choices(part: &Value, compared: &BTreeSet<usize>, left: &mut Vec<String>) {
    if !compared.contains(&address(part)) {
        left.extend(part.get("enum").map(Value::to_string));
    }
    let map = part.as_object().into_iter().flatten();
    map.for_each(|(_, of)| find_choices(of, compared, left));
    let list = part.as_array().into_iter().flatten();
    list.for_each(|of| find_choices(of, compared, left));
}

/// Tells parts of the schema apart.
fn address(part: &Value) -> usize {
    std::ptr::from_ref(part).addr()
}

/// Demands that the schema takes a policy of a test, if it is asked for the first time.
pub fn takes(text: &str) {
    static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SEEN.lock().unwrap().insert(text.to_owned()) {
        agrees(text, &check(&[Source::new("a.yaml", text)]));
    }
}

/// Demands that the schema takes what the compiler takes, and refuses what is wrong in its shape.
pub fn agrees(text: &str, checked: &Checked) {
    let errors = || {
        checked
            .problems
            .0
            .iter()
            .filter(|it| it.severity == Severity::Error)
    };
    if errors().any(|it| it.code.starts_with("yaml_")) {
        return;
    }
    let faults: Vec<String> = documents(text)
        .iter()
        .flat_map(|it| faults(&POLICY, it))
        .collect();
    if errors().count() == 0 {
        assert!(
            faults.is_empty(),
            "the schema refuses {faults:#?} of\n{text}"
        );
    }
    let shape: Vec<&Diagnostic> = errors().filter(|it| is_of_shape(it)).collect();
    assert!(
        shape.is_empty() || !faults.is_empty(),
        "the schema takes what is wrong by {shape:#?}"
    );
}

/// A length of time inside of an expression is no matter of the document's shape.
fn is_of_shape(problem: &Diagnostic) -> bool {
    let word = &problem.source.text[problem.span.clone()];
    SHAPES.contains(&problem.code) && !word.starts_with('\'')
}

/// Returns the documents of a text as editors see them.
fn documents(text: &str) -> Vec<Value> {
    let mut problems = Vec::new();
    let (roots, _) = yaml::read(&Source::new("a.yaml", text), &mut problems);
    roots.iter().map(json).collect()
}

/// Reads a node by the core schema of YAML 1.2.
fn json(node: &Yaml) -> Value {
    match &node.content {
        Content::Map(entries) => {
            let entry =
                |(key, value): &(Yaml, Yaml)| (key.text().unwrap().to_string(), json(value));
            Value::Object(entries.iter().map(entry).collect())
        }
        Content::List(items) => items.iter().map(json).collect(),
        Content::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_ref() {
            "" | "~" | "null" => Value::Null,
            text => serde_json::from_str(text)
                .ok()
                .filter(|value: &Value| value.is_boolean() || value.is_number())
                .unwrap_or_else(|| text.into()),
        },
        Content::Scalar(scalar) => scalar.text.as_ref().into(),
        Content::Broken => panic!("a broken document is not compared"),
    }
}
