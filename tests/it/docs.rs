//! Every YAML block of the documents is what it says: a policy that the checker accepts and whose tests pass, or a
//! configuration. So is the library of policies.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use attune::config::Config;

/// The folders that hold no documents of the project.
const SKIPPED: [&str; 3] = ["target", ".git", ".tools"];

#[test]
fn every_yaml_block_of_the_documents_is_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut documents = Vec::new();
    find(root, &mut documents);
    let mut n_blocks = 0;
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for (line, block) in blocks(&text) {
            let name = document.strip_prefix(root).unwrap().display();
            let place = format!("{name}:{line}");
            judge(root, &block).unwrap_or_else(|why| panic!("{place}: {why}"));
            n_blocks += 1;
        }
    }
    assert!(n_blocks >= 3, "only {n_blocks} blocks were found");
}

#[test]
fn the_library_of_policies_is_right_laid_out_and_tested() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let policies = root.join("policies");
    let tasks: [&[&str]; 3] = [
        &["check", "--deny-warnings"],
        &["fmt", "--check"],
        &["test"],
    ];
    for words in tasks {
        attune(root, words, &policies).unwrap_or_else(|why| panic!("{words:?}: {why}"));
    }
}

#[test]
fn a_block_that_is_wrong_is_told_from_one_that_is_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text =
        "a\n```yaml\njourney: j\n```\n```sh\ncat > x.yaml <<'YAML'\nhttp: { port: 1 }\nYAML\n```\n";
    let found = blocks(text);
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 6]);
    let wrong: Vec<String> = found
        .iter()
        .map(|(_, block)| judge(root, block).unwrap_err())
        .collect();
    assert!(wrong[0].contains("missing"), "{}", wrong[0]);
    assert!(wrong[1].contains("port"), "{}", wrong[1]);
}

fn find(folder: &Path, documents: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !SKIPPED.contains(&name.as_str()) {
            find(&path, documents);
        } else if path.extension().is_some_and(|end| end == "md") {
            documents.push(path);
        }
    }
}

/// Returns the blocks of a document with the line at which they begin: fenced ones, and files that a shell block writes.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (line, text) in (1..).zip(text.lines()) {
        match &mut open {
            Some((start, end, block)) if text == *end => {
                blocks.push((*start, std::mem::take(block)));
                open = None;
            }
            Some((_, _, block)) => {
                block.push_str(text);
                block.push('\n');
            }
            None if text == "```yaml" => open = Some((line, "```", String::new())),
            None if text.ends_with("<<'YAML'") => open = Some((line, "YAML", String::new())),
            None => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Says what is wrong with a block.
fn judge(root: &Path, block: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("block.yaml");
    fs::write(&file, block).unwrap();
    let is_config = ["nats:", "store:", "http:", "policies:", "clock:"];
    if is_config.iter().any(|key| block.starts_with(key)) {
        let config = Config::read(&file).and_then(|config| config.check());
        return config.map_err(|error| format!("{error:#}"));
    }
    attune(root, &["check", "--no-env"], &file)?;
    if block.contains("\ntest: ") {
        attune(root, &["test"], &file)?;
    }
    Ok(())
}

fn attune(root: &Path, words: &[&str], file: &Path) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_attune"));
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        command.env("ORT_DYLIB_PATH", root.join(".tools/lib/libonnxruntime.so"));
    }
    let output = command.args(words).arg(file).current_dir(root).output();
    let output = output.unwrap();
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(String::from_utf8_lossy(&said).into_owned())
}
