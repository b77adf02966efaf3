//! One model: loaded, tried, and run.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::SessionBuilder;
use ort::value::Outlet;

use super::card::{self, Card, Port};
use super::error::said;
use super::exact::is_exact;
use super::forest::Forest;
use super::pool::Pool;
use super::rows::fault;
use super::signature::{Signature, type_name};
use super::{Cell, Error, Library, Score, Source, Spec, Watch};
use crate::clock;

/// How many rows are run together; more are run in turns.
pub const ROWS_MAX: usize = 64;

/// The largest file of a model, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 30;

/// So much of a `README.md` is kept, in bytes.
const README_BYTES_MAX: u64 = 64 << 10;

/// Where ONNX Runtime looks for the external weights of a model that it gets as bytes.
const EXTERNAL_FOLDER: &str = "session.model_external_initializers_file_folder_path";

/// One model, ready to score.
pub struct Model {
    name: Arc<str>,
    pub(super) columns: Vec<Arc<str>>,
    pub(super) signature: Signature,
    /// Whether several rows get the same scores in one run as alone.
    together: bool,
    pub(super) pool: Pool,
    /// What is run in the place of a session, if it gives the same.
    forest: Option<Forest>,
    counters: Counters,
    card: Card,
    watch: Watch,
}

/// What a model has done since it was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Runs of the model; a batch is one.
    pub runs: u64,
    /// Rows that a score was asked for.
    pub rows: u64,
    /// Rows without a score.
    pub failures: u64,
    /// Time from row to score, of all runs together.
    pub nanoseconds: u64,
}

#[derive(Default)]
struct Counters {
    runs: AtomicU64,
    rows: AtomicU64,
    failures: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Model {
    /// Loads a model, checks it against its manifest, and tries it: on its golden rows, alone and together, or
    /// without any on rows of zeros.
    ///
    /// - `threads`: how many rows can be scored at the same time; without it as many as there are cores.
    ///
    /// # Errors
    ///
    /// Everything but the `Library` ones of [`Error`]; each names the model.
    pub fn load(
        library: &Library,
        spec: &Spec,
        threads: Option<NonZeroUsize>,
    ) -> Result<Self, Error> {
        let path = spec.source.path().to_owned();
        let bytes = read(spec)?;
        let sha256 = of_one_version(spec, &bytes)?;
        let graph = |error: ort::Error| Error::Graph {
            model: spec.name.clone(),
            path: path.clone(),
            reason: said(&error),
        };
        let session = open(library, &spec.source, &bytes).map_err(graph)?;
        let signature =
            Signature::fit(session.inputs(), session.outputs(), spec).map_err(|reason| {
                Error::Signature {
                    model: spec.name.clone(),
                    path: path.clone(),
                    reason,
                }
            })?;
        let ports = (ports(session.inputs()), ports(session.outputs()));
        let columns = spec
            .inputs
            .iter()
            .map(|input| input.column.clone())
            .collect();
        let together = !signature.one_row && is_exact(&bytes);
        let mut model = Self {
            name: spec.name.clone(),
            columns,
            pool: Pool::new(session, &signature).map_err(graph)?,
            forest: None,
            signature,
            together,
            counters: Counters::default(),
            card: Card {
                sha256,
                n_bytes: bytes.len() as u64,
                loaded_at: clock::now(),
                inputs: ports.0,
                outputs: ports.1,
                golden: None,
                walked: None,
                batched: together,
                readme: readme(&spec.source),
            },
            watch: Watch::new(spec.name.clone(), spec.baseline.clone(), spec.drift.clone()),
        };
        model.card.golden = model.try_out(spec, &path)?;
        model.counters = Counters::default();
        if let Some((forest, n_rows)) = model.own_forest(spec, &bytes) {
            model.card.walked = Some(n_rows);
            model.forest = Some(forest);
            return Ok(model);
        }
        for _ in 1..n_sessions(threads) {
            let session = open(library, &spec.source, &bytes).map_err(graph)?;
            model.pool.add(session, &model.signature).map_err(graph)?;
        }
        Ok(model)
    }

    /// Returns the watch over it, who is told of the rows of decisions alone: not everybody who scores decides.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns what was found out about it when it was loaded.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Returns its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Scores one row.
    pub fn score(&self, row: &[Cell]) -> Score {
        let score = match fault(&self.signature.feeds, &self.columns, row) {
            Some(reason) => Score::Unavailable(reason),
            None => self.run_one(row),
        };
        self.count(std::slice::from_ref(&score));
        score
    }

    /// Scores several rows, and together if [`Model::is_batched`]; the same to the bit as row by row.
    pub fn score_batch(&self, rows: &[&[Cell]]) -> Vec<Score> {
        let faults = rows
            .iter()
            .map(|row| fault(&self.signature.feeds, &self.columns, row));
        let mut scores: Vec<_> = faults.map(|fault| fault.map(Score::Unavailable)).collect();
        let sound: Vec<usize> = (0..rows.len())
            .filter(|idx| scores[*idx].is_none())
            .collect();
        let rows_max = if self.together { ROWS_MAX } else { 1 };
        for part in sound.chunks(rows_max) {
            let part_rows: Vec<&[Cell]> = part.iter().map(|idx| rows[*idx]).collect();
            for (idx, score) in part.iter().zip(self.run_part(&part_rows)) {
                scores[*idx] = Some(score);
            }
        }
        let scores: Vec<_> = scores.into_iter().flatten().collect();
        self.count(&scores);
        scores
    }

    /// Tells if the rows of a batch are run together: the file takes several, and all its operators are exact.
    pub fn is_batched(&self) -> bool {
        self.together
    }

    /// Returns what it has done since it was loaded.
    pub fn stats(&self) -> Stats {
        Stats {
            runs: self.counters.runs.load(Ordering::Relaxed),
            rows: self.counters.rows.load(Ordering::Relaxed),
            failures: self.counters.failures.load(Ordering::Relaxed),
            nanoseconds: self.counters.nanoseconds.load(Ordering::Relaxed),
        }
    }

    fn run_one(&self, row: &[Cell]) -> Score {
        let mut score = [0.0];
        match self.run(&[row], &mut score) {
            Ok(()) => finite(score[0]),
            Err(reason) => Score::unavailable(reason),
        }
    }

    /// Runs rows together, or each alone when one of them makes the run fail.
    fn run_part(&self, rows: &[&[Cell]]) -> Vec<Score> {
        let mut scores = vec![0.0; rows.len()];
        match self.run(rows, &mut scores) {
            Ok(()) => scores.into_iter().map(finite).collect(),
            Err(reason) if rows.len() == 1 => vec![Score::unavailable(reason)],
            Err(_) => rows.iter().map(|row| self.run_one(row)).collect(),
        }
    }

    pub(super) fn run(&self, rows: &[&[Cell]], scores: &mut [f64]) -> Result<(), String> {
        let start = Instant::now();
        let result = match &self.forest {
            Some(forest) => {
                forest.score(rows, scores);
                Ok(())
            }
            None => self.pool.take().run(&self.signature, rows, scores),
        };
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counters.runs.fetch_add(1, Ordering::Relaxed);
        self.counters
            .nanoseconds
            .fetch_add(nanoseconds, Ordering::Relaxed);
        result
    }

    fn count(&self, scores: &[Score]) {
        let failures = scores
            .iter()
            .filter(|score| score.known().is_none())
            .count();
        self.counters
            .rows
            .fetch_add(scores.len() as u64, Ordering::Relaxed);
        self.counters
            .failures
            .fetch_add(failures as u64, Ordering::Relaxed);
    }
}

fn read(spec: &Spec) -> Result<Arc<[u8]>, Error> {
    let file = |source| Error::File {
        model: spec.name.clone(),
        path: spec.source.path().to_owned(),
        source,
    };
    let bytes = match &spec.source {
        Source::File(path) => {
            let n_bytes = std::fs::metadata(path).map_err(file)?.len();
            if n_bytes > FILE_BYTES_MAX {
                return Err(file(std::io::Error::other(format!(
                    "the file has {n_bytes} bytes, at most {FILE_BYTES_MAX} are read"
                ))));
            }
            std::fs::read(path).map_err(file)?.into()
        }
        Source::Bytes(_, bytes) => bytes.clone(),
    };
    if bytes.is_empty() {
        return Err(file(std::io::Error::other("the file is empty")));
    }
    Ok(bytes)
}

/// Returns the hash of a file, if it is the one that the manifest means.
fn of_one_version(spec: &Spec, bytes: &[u8]) -> Result<Arc<str>, Error> {
    let found = card::sha256(bytes);
    match &spec.sha256 {
        Some(expected) if *expected != found => Err(Error::Version {
            model: spec.name.clone(),
            path: spec.source.path().to_owned(),
            expected: expected.clone(),
            found,
        }),
        Some(_) | None => Ok(found),
    }
}

fn ports(outlets: &[Outlet]) -> Vec<Port> {
    let port = |outlet: &Outlet| Port {
        name: outlet.name().to_owned(),
        shape: type_name(outlet.dtype()),
    };
    outlets.iter().map(port).collect()
}

/// Reads the card that people write; a model without one is as good.
fn readme(source: &Source) -> Option<Arc<str>> {
    let Source::File(path) = source else {
        return None;
    };
    let file = std::fs::File::open(path.with_file_name("README.md")).ok()?;
    let mut text = Vec::new();
    file.take(README_BYTES_MAX).read_to_end(&mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into())
}

fn open(library: &Library, source: &Source, bytes: &[u8]) -> ort::Result<Session> {
    let mut builder = SessionBuilder::new(&library.environment)?
        .with_log_level(LogLevel::Fatal)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_deterministic_compute(true)?
        // The number of rows changes from run to run.
        .with_memory_pattern(false)?;
    if let Source::File(path) = source
        && let Some(folder) = path.parent().and_then(Path::to_str)
    {
        let folder = if folder.is_empty() { "." } else { folder };
        builder = builder.with_config_entry(EXTERNAL_FOLDER, folder)?;
    }
    builder.commit_from_memory(bytes)
}

fn n_sessions(threads: Option<NonZeroUsize>) -> usize {
    let threads = threads.or_else(|| std::thread::available_parallelism().ok());
    threads.map_or(1, NonZeroUsize::get)
}

fn finite(score: f64) -> Score {
    if score.is_finite() {
        Score::Value(score)
    } else {
        Score::unavailable(format!("the model returned {score}"))
    }
}
