//! What was found out about a model, for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

/// What was found out about one model.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Its name, or the path of what has none.
    pub model: String,
    /// Its ONNX file.
    pub file: String,
    /// Whether nothing is wrong; warnings are not wrong.
    pub ok: bool,
    /// What the file is; absent when it cannot be loaded.
    #[serde(flatten)]
    pub file_facts: Option<FileFacts>,
    /// How its golden rows came out.
    pub golden: Option<Golden>,
    /// On how many rows its trees, walked by Attune, gave to the bit what ONNX Runtime gives; nothing where ONNX Runtime runs it.
    pub walked: Option<usize>,
    /// Whether rows score in runs of several as they do alone.
    pub batches: Vec<Batch>,
    /// How long scoring takes.
    pub latency: Vec<Latency>,
    /// What an unknown value of each column does.
    pub unknown: Vec<Unknown>,
    /// What is wrong, and what might be.
    pub hazards: Vec<Hazard>,
}

/// What a file is.
#[derive(Debug, Serialize)]
pub struct FileFacts {
    /// Its size.
    pub n_bytes: u64,
    /// Its hash.
    pub sha256: String,
    /// Who wrote it.
    pub producer: String,
    /// The versions of the standard by domain.
    pub opsets: Vec<(String, u64)>,
    /// What it takes, with types and shapes.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
    /// The output with the score.
    pub score: String,
}

/// An input or output.
#[derive(Debug, Serialize)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Its type and shape.
    pub shape: String,
}

/// How golden rows came out.
#[derive(Debug, Serialize)]
pub struct Golden {
    /// How many there are.
    pub n_rows: usize,
    /// The largest difference.
    pub worst: f64,
    /// What is allowed.
    pub tolerance: f64,
}

/// How far scores in runs of so many rows are from those of rows alone.
#[derive(Debug, Serialize)]
pub struct Batch {
    /// Rows of a run.
    pub n_rows: usize,
    /// The largest difference in one run of the file.
    pub worst: f64,
    /// The largest difference as the engine serves it.
    pub worst_served: f64,
}

/// How long it takes to score so many rows.
#[derive(Debug, Serialize)]
pub struct Latency {
    /// Rows that are asked for together.
    pub n_rows: usize,
    /// Half of the calls are faster, in microseconds.
    pub p50_us: f64,
    /// 99 of 100 calls are faster, in microseconds.
    pub p99_us: f64,
}

/// What an unknown value of a column does.
#[derive(Debug, Serialize)]
pub struct Unknown {
    /// The column; all of them together as `*`.
    pub column: String,
    /// What the model gets: `fail` leaves the score unknown.
    pub gets: String,
    /// Rows that have a score then.
    pub n_scored: usize,
    /// Rows that were tried.
    pub n_rows: usize,
    /// How far it moves a score at most; absent when there is none.
    pub moves: Option<f64>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Perhaps wrong.
    Warning,
    /// Wrong.
    Error,
}

/// Something that is wrong, or might be.
#[derive(Debug, Serialize)]
pub struct Hazard {
    /// How bad it is.
    pub severity: Severity,
    /// A word for it that stays.
    pub code: &'static str,
    /// What is the case.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Hazard {
    /// Says that something is wrong.
    pub fn error(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message.into(), help.into())
    }

    /// Says that something might be wrong.
    pub fn warning(
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, code, message.into(), help.into())
    }

    /// Says something that is good to know.
    pub fn note(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message.into(), help.into())
    }

    fn new(severity: Severity, code: &'static str, message: String, help: String) -> Self {
        Self {
            severity,
            code,
            message,
            help,
        }
    }
}

impl Report {
    /// Returns the severity of what is worst.
    pub fn worst(&self) -> Option<Severity> {
        self.hazards.iter().map(|hazard| hazard.severity).max()
    }

    /// Writes it for people.
    pub fn text(&self) -> String {
        let mut out = format!("{}  {}\n", self.model, self.file);
        let mut line = |name: &str, text: &str| {
            // Writing to a text does not fail.
            let _ = writeln!(out, "  {name:<8} {text}");
        };
        if let Some(facts) = &self.file_facts {
            facts.lines(&mut line);
        }
        if let Some(golden) = &self.golden {
            let Golden {
                n_rows,
                worst,
                tolerance,
            } = golden;
            let text = format!("{n_rows} rows, {}, {tolerance:e} allowed", off(*worst));
            line("golden", &text);
        }
        if let Some(n_rows) = self.walked {
            let text =
                format!("walked by Attune: the same to the bit as ONNX Runtime on {n_rows} rows");
            line("trees", &text);
        }
        for batch in &self.batches {
            let Batch {
                n_rows,
                worst,
                worst_served,
            } = batch;
            let (worst, served) = (off(*worst), off(*worst_served));
            line(
                "batches",
                &format!("of {n_rows} rows: {worst}, as served {served}"),
            );
        }
        for of in &self.latency {
            let text = format!(
                "of {} rows: p50 {:.1} us, p99 {:.1} us",
                of.n_rows, of.p50_us, of.p99_us
            );
            line("latency", &text);
        }
        for unknown in &self.unknown {
            line("unknown", &unknown.text());
        }
        for hazard in &self.hazards {
            out.push_str(&hazard.text());
        }
        out
    }
}

fn off(worst: f64) -> String {
    if worst == 0.0 {
        return "the same to the bit".to_owned();
    }
    format!("off by {worst:.1e} at most")
}

impl FileFacts {
    fn lines(&self, line: &mut impl FnMut(&str, &str)) {
        let opsets = self.opsets.iter();
        let opsets: Vec<_> = opsets.map(|(domain, n)| format!("{domain} {n}")).collect();
        let size = format!("{} bytes, sha256 {}", self.n_bytes, &self.sha256);
        line("file", &size);
        line("by", &format!("{} ({})", self.producer, opsets.join(", ")));
        for port in &self.inputs {
            line("takes", &format!("{} {}", port.name, port.shape));
        }
        for port in &self.outputs {
            let mark = if port.name == self.score {
                "  the score"
            } else {
                ""
            };
            line("gives", &format!("{} {}{mark}", port.name, port.shape));
        }
    }
}

impl Unknown {
    fn text(&self) -> String {
        let Self {
            column,
            gets,
            n_scored,
            n_rows,
            moves,
        } = self;
        let column = if column == "*" { "all columns" } else { column };
        match moves {
            None => format!("{column} -> {gets}: no score"),
            Some(moves) => format!(
                "{column} -> {gets}: {n_scored} of {n_rows} rows scored, moved by {moves:.4} at most"
            ),
        }
    }
}

impl Hazard {
    fn text(&self) -> String {
        let word = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        format!(
            "  {word}[{}]: {}\n    help: {}\n",
            self.code,
            self.message.replace('\n', "\n    "),
            self.help
        )
    }
}
