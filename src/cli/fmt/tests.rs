//! What becomes of files.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{Args, Outcome, file, run};

const ODD: &str = "journey:   j\nenter: {event: A}\nsteps:\n- stop\n";
const LAID: &str = "journey: j\nenter: { event: A }\nsteps:\n  - stop\n";

#[test]
fn a_file_is_laid_out_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.yaml");
    fs::write(&path, ODD).unwrap();
    assert_eq!(file(&path, true).unwrap(), Outcome::Changed);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        ODD,
        "a check writes nothing"
    );
    assert_eq!(file(&path, false).unwrap(), Outcome::Changed);
    assert_eq!(fs::read_to_string(&path).unwrap(), LAID);
    assert_eq!(file(&path, false).unwrap(), Outcome::Same);
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "no draft is left"
    );
}

#[test]
fn a_file_that_is_not_yaml_is_left_alone_and_the_others_are_laid_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), "a: [1\nb: 2\n").unwrap();
    fs::write(dir.path().join("b.yaml"), ODD).unwrap();
    assert_eq!(outcome(dir.path().into(), false), ExitCode::FAILURE);
    assert_eq!(
        fs::read_to_string(dir.path().join("a.yaml")).unwrap(),
        "a: [1\nb: 2\n"
    );
    assert_eq!(fs::read_to_string(dir.path().join("b.yaml")).unwrap(), LAID);
}

#[test]
fn a_check_fails_until_all_is_laid_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.yaml"), ODD).unwrap();
    assert_eq!(outcome(dir.path().into(), true), ExitCode::FAILURE);
    assert_eq!(outcome(dir.path().into(), false), ExitCode::SUCCESS);
    assert_eq!(outcome(dir.path().into(), true), ExitCode::SUCCESS);
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_rights_stay() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = tempfile::tempdir().unwrap();
    let (target, link) = (dir.path().join("a.txt"), dir.path().join("b.yaml"));
    fs::write(&target, ODD).unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&target, &link).unwrap();
    assert_eq!(file(&link, false).unwrap(), Outcome::Changed);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), LAID);
    assert_eq!(
        fs::metadata(&target).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

fn outcome(path: PathBuf, check: bool) -> ExitCode {
    let paths = vec![path];
    run(&Args { paths, check }).unwrap()
}
