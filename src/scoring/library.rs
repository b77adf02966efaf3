//! Finds and loads ONNX Runtime, once a process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::Error;

/// How long the library may take to load before it counts as stuck.
const LOAD_MAX: Duration = Duration::from_secs(20);

/// How long the process may go on with a library that is stuck.
const LEAVE_MAX: Duration = Duration::from_secs(5);

/// How often the loading is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// The library in use. ONNX Runtime allows one environment a process, so it stays for good.
static LOADED: Mutex<Option<Library>> = Mutex::new(None);

/// ONNX Runtime, loaded.
#[derive(Clone)]
pub struct Library {
    pub(super) environment: Environment,
}

impl Library {
    /// Loads ONNX Runtime, or returns the one that is loaded.
    ///
    /// Looked for, in order: `explicit`, `ORT_DYLIB_PATH`, `.tools/lib/` beside the working directory, and the
    /// folder of the executable. The first two are final: a library that is not there is an error. Call it
    /// early; the first path to succeed holds for the process.
    ///
    /// # Errors
    ///
    /// [`Error::LibraryMissing`], [`Error::LibraryMisplaced`], [`Error::LibraryRefused`] when it is too old or
    /// no ONNX Runtime; these can be tried again. [`Error::LibraryStuck`] when it does not come back; a process
    /// with a stuck loader cannot end in order, so it is aborted 5 seconds later.
    pub fn load(explicit: Option<&Path>) -> Result<Self, Error> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = loaded.as_ref() {
            return Ok(library.clone());
        }
        let path = Places::of_process(explicit).find()?;
        let ended = Arc::new(AtomicBool::new(false));
        abort_when_stuck(ended.clone()).map_err(|reason| Error::LibraryRefused {
            path: path.clone(),
            reason,
        })?;
        let library = within(LOAD_MAX, &path, open);
        // A library that is stuck leaves the watch running.
        let stuck = matches!(library, Err(Error::LibraryStuck { .. }));
        ended.store(!stuck, Ordering::Relaxed);
        let library = library?;
        Ok(loaded.insert(library).clone())
    }

    /// Returns what ONNX Runtime says of its build.
    pub fn version(&self) -> &'static str {
        ort::info()
    }
}

/// Where the library may be.
#[derive(Default)]
pub(super) struct Places {
    /// From the configuration.
    pub explicit: Option<PathBuf>,
    /// From `ORT_DYLIB_PATH`.
    pub environment: Option<PathBuf>,
    /// Folders to look in, in order.
    pub folders: Vec<PathBuf>,
}

impl Places {
    fn of_process(explicit: Option<&Path>) -> Self {
        let beside = std::env::current_dir().map(|folder| folder.join(".tools/lib"));
        let executable = std::env::current_exe();
        let next_to = executable
            .ok()
            .and_then(|path| path.parent().map(Path::to_owned));
        Self {
            explicit: explicit.map(Path::to_owned),
            environment: std::env::var_os("ORT_DYLIB_PATH")
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            folders: beside.ok().into_iter().chain(next_to).collect(),
        }
    }

    pub(super) fn find(self) -> Result<PathBuf, Error> {
        let named = [
            (self.explicit, "the configuration"),
            (self.environment, "ORT_DYLIB_PATH"),
        ];
        for (path, named_by) in named {
            let Some(path) = path else { continue };
            // A relative path would be taken from the folder of the executable first.
            return match path.canonicalize() {
                Ok(found) if found.is_file() => Ok(found),
                Ok(_) | Err(_) => Err(Error::LibraryMisplaced { path, named_by }),
            };
        }
        let mut files = self.folders.iter().map(|folder| folder.join(file_name()));
        files
            .find(|file| file.is_file())
            .ok_or(Error::LibraryMissing)
    }
}

/// Returns `libonnxruntime.so` by the name that the platform gives it.
pub(super) fn file_name() -> String {
    use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
    format!("{DLL_PREFIX}onnxruntime{DLL_SUFFIX}")
}

fn open(path: &Path) -> Result<Library, String> {
    let builder = ort::init_from(path).map_err(|error| error.to_string())?;
    let builder = builder.with_name("attune").with_telemetry(false);
    let environment = builder.build().map_err(|error| error.to_string())?;
    // What goes wrong comes back as an error or a score; on standard error it would be said twice.
    environment.set_log_level(LogLevel::Fatal);
    Ok(Library { environment })
}

/// Runs `open` under a watchdog.
///
/// The loader of the system can hang with its lock held, and then hangs whoever needs it: a thread that starts, a
/// thread-local value with a destructor (a channel has one), the end of the process. So this thread only looks and
/// sleeps.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    path: &Path,
    open: impl FnOnce(&Path) -> Result<T, String> + Send + 'static,
) -> Result<T, Error> {
    let refused = |reason| Error::LibraryRefused {
        path: path.to_owned(),
        reason,
    };
    let owned = path.to_owned();
    let start = Instant::now();
    let loader = spawn("onnxruntime-load", move || open(&owned)).map_err(refused)?;
    while !loader.is_finished() {
        if start.elapsed() >= limit {
            return Err(Error::LibraryStuck {
                path: path.to_owned(),
                seconds: limit.as_secs(),
            });
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let opened = loader
        .join()
        .map_err(|_| refused("loading it panicked".to_owned()))?;
    opened.map_err(refused)
}

/// Ends a process that cannot end itself because loading is stuck; the caller has the time to say why.
fn abort_when_stuck(loaded: Arc<AtomicBool>) -> Result<(), String> {
    let watch = move || {
        let start = Instant::now();
        while start.elapsed() < LOAD_MAX + LEAVE_MAX {
            if loaded.load(Ordering::Relaxed) {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        std::process::abort();
    };
    spawn("onnxruntime-watch", watch).map(drop)
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, String> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(|error| error.to_string())
}
