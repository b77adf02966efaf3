//! What is written, and what is not.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use clap::ValueEnum;
use expect_test::expect;

use super::{Args, Template, files, run};
use crate::policy::{self, Source};

#[test]
fn every_file_of_a_template_is_carried() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/templates");
    for template in Template::value_variants() {
        let name = template.to_possible_value().unwrap();
        let carried: BTreeSet<&str> = template.files().iter().map(|(path, _)| *path).collect();
        let mut found = BTreeSet::new();
        collect(&root.join(name.get_name()), "", &mut found);
        for path in &found {
            assert!(carried.contains(path.as_str()), "{path}");
        }
        assert!(found.len() >= 8, "{found:?}");
    }
}

#[test]
fn a_project_is_laid_out_and_nothing_is_odd_about_it() {
    for template in Template::value_variants() {
        let mut sources = Vec::new();
        for (path, content) in files(*template).unwrap() {
            if !is_yaml(&path) {
                continue;
            }
            let text = String::from_utf8(content.into_owned()).unwrap();
            assert!(
                text.starts_with("# yaml-language-server: $schema="),
                "{path}"
            );
            let source = Source::new(&path, &text);
            assert_eq!(policy::format(&source).unwrap(), text, "{path}");
            if path != "attune.yaml" {
                sources.push(source);
            }
        }
        let checked = policy::check(&sources);
        assert_eq!(checked.problems.to_string(), "");
        let bundle = checked.bundle.unwrap();
        assert!(bundle.journeys.len() >= 2 && bundle.models.len() == 1);
    }
}

#[test]
fn modelines_find_the_schema_from_every_folder() {
    let files = files(Template::Saas).unwrap();
    let paths: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut lines = String::new();
    for (path, content) in files.iter().filter(|(path, _)| is_yaml(path)) {
        let text = String::from_utf8_lossy(content);
        let schema = text
            .lines()
            .next()
            .unwrap()
            .split("$schema=")
            .nth(1)
            .unwrap();
        let inside = schema.trim_start_matches("../");
        assert!(paths.contains(inside), "{schema}");
        let _ = writeln!(lines, "{path}: {schema}");
    }
    expect![[r#"
        attune.yaml: .attune/config.schema.json
        models/trial-conversion/model.yaml: ../../.attune/model.schema.json
        policies/events.yaml: ../.attune/policy.schema.json
        policies/gone-quiet.yaml: ../.attune/policy.schema.json
        policies/limits.yaml: ../.attune/policy.schema.json
        policies/offers.yaml: ../.attune/policy.schema.json
        policies/payment-failed.yaml: ../.attune/policy.schema.json
        policies/segments.yaml: ../.attune/policy.schema.json
        policies/tests/payment-failed.yaml: ../../.attune/policy.schema.json
        policies/tests/gone-quiet.yaml: ../../.attune/policy.schema.json
        policies/tests/offers.yaml: ../../.attune/policy.schema.json
        policies/tests/trial.yaml: ../../.attune/policy.schema.json
        policies/trial.yaml: ../.attune/policy.schema.json
    "#]]
    .assert_eq(&lines);
}

#[test]
fn what_is_there_is_not_overwritten_unless_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut args = Args {
        dir: dir.path().join("new/project"),
        template: Template::Bank,
        force: false,
    };
    run(&args).unwrap();
    let own = args.dir.join("policies/offers.yaml");
    fs::write(&own, "mine").unwrap();
    fs::remove_file(args.dir.join("README.md")).unwrap();
    let refused = run(&args).unwrap_err().to_string();
    assert!(
        refused.contains("`attune.yaml`, `") && refused.contains("`--force`"),
        "{refused}"
    );
    assert!(!args.dir.join("README.md").exists(), "nothing was written");
    assert_eq!(fs::read_to_string(&own).unwrap(), "mine");
    args.force = true;
    run(&args).unwrap();
    assert_ne!(fs::read_to_string(&own).unwrap(), "mine");
}

fn is_yaml(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|end| end == "yaml")
}

fn collect(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
        } else {
            found.insert(name);
        }
    }
}
