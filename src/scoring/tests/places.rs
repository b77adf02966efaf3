//! ONNX Runtime is found where it should be, and says what to do where it is not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect;

use super::{fixtures, library};
use crate::scoring::library::{Places, file_name, within};
use crate::scoring::{Error, Library};

#[test]
fn the_library_is_looked_for_where_it_was_named_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(file_name());
    std::fs::write(&file, "x").unwrap();
    let real = file.canonicalize().unwrap();
    let folders = vec![PathBuf::from("absent"), folder.path().to_owned()];
    let find = |explicit: Option<&Path>, environment: Option<&Path>, folders: &[PathBuf]| {
        let places = Places {
            explicit: explicit.map(Path::to_owned),
            environment: environment.map(Path::to_owned),
            folders: folders.to_owned(),
        };
        places.find().map_err(|error| error.to_string())
    };
    let absent = Path::new("absent.so");
    assert_eq!(find(None, None, &folders), Ok(folders[1].join(file_name())));
    assert_eq!(find(Some(&file), Some(absent), &[]), Ok(real.clone()));
    assert_eq!(find(None, Some(&file), &[]), Ok(real));
    let errors = [
        find(Some(absent), Some(&file), &folders),
        find(None, Some(absent), &folders),
        find(None, None, &[]),
    ];
    let errors = errors.map(|found| found.unwrap_err() + "\n").concat();
    expect![[r"
        ONNX Runtime was not found at `absent.so`, which the configuration names: run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)
        ONNX Runtime was not found at `absent.so`, which ORT_DYLIB_PATH names: run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)
        ONNX Runtime was not found: run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)
    "]].assert_eq(&errors);
}

#[test]
fn a_library_that_hangs_is_given_up() {
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let wait = move |_: &Path| Ok(receiver.recv_timeout(Duration::from_mins(1)).is_ok());
    let stuck = within(Duration::ZERO, Path::new("slow.so"), wait).unwrap_err();
    drop(sender);
    let odd = |_: &Path| -> Result<(), _> { Err("it is odd".to_owned()) };
    let odd = within(Duration::from_mins(1), Path::new("odd.so"), odd).unwrap_err();
    expect![[r"
        ONNX Runtime at `slow.so` did not load within 0 s
        ONNX Runtime at `odd.so` cannot be used: it is odd; run `make setup`, or set ORT_DYLIB_PATH to libonnxruntime.so (version 1.20 or newer)
    "]].assert_eq(&format!("{stuck}\n{odd}\n"));
}

#[test]
fn a_file_that_is_no_library_is_refused() {
    // A process loads one library for good, so the wrong one needs a process of its own.
    const CHILD: &str = "ATTUNE_TEST_WRONG_LIBRARY";
    if let Some(path) = std::env::var_os(CHILD) {
        let error = Library::load(Some(Path::new(&path))).err().unwrap();
        assert!(matches!(error, Error::LibraryRefused { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains("run `make setup`, or set ORT_DYLIB_PATH"),
            "{error}"
        );
        // A failed load can be tried again.
        library();
        return;
    }
    let this = "scoring::tests::places::a_file_that_is_no_library_is_refused";
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let wrong = fixtures().join("not_onnx.onnx");
    let output = child
        .args(["--exact", this])
        .env(CHILD, wrong)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
