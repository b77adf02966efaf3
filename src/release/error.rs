//! Why policies cannot become live.

use crate::policy::Diagnostics;
use crate::release::ledger;
use crate::stream;

/// Why policies cannot become live; nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file of it cannot be read.
    #[error("{0}")]
    Folder(String),
    /// There are errors in the policies.
    #[error("{}", summary(.0))]
    Wrong(Diagnostics),
    /// A model cannot be loaded.
    #[error("{0}")]
    Models(String),
    /// Another revision is live than the one that was expected.
    #[error("revision {live} is live, not {expected}: look at what has changed, and try again")]
    Moved {
        /// What is live.
        live: u64,
        /// What was expected.
        expected: u64,
    },
    /// Somebody else changed the policies at the same moment.
    #[error("the policies are changed by somebody else at this moment: try again")]
    Busy,
    /// No such revision is kept.
    #[error("revision {0} is not kept; `GET /v1/policies` lists those that are")]
    Unknown(u64),
    /// The folder has not changed, and what came later did not come from it.
    #[error(
        "the folder holds an earlier set{}, and has not changed since: revision {live} stays live; `attune rollback` makes an earlier one live again",
        .was.map(|was| format!(" (revision {was})")).unwrap_or_default()
    )]
    Outdated {
        /// Its revision, if it is kept.
        was: Option<u64>,
        /// What is live.
        live: u64,
    },
    /// All sets together do not fit into one message.
    #[error(
        "the policies take {n_bytes} bytes compressed, at most {bytes_max} fit into a message of the NATS server; raise its `max_payload`"
    )]
    TooLarge {
        /// What they take.
        n_bytes: usize,
        /// What fits.
        bytes_max: usize,
    },
    /// NATS refused.
    #[error(transparent)]
    Stream(#[from] stream::Error),
    /// What was live before cannot be read.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
}

impl Error {
    /// The folder cannot be read.
    pub(super) fn folder(error: &anyhow::Error) -> Self {
        Self::Folder(format!("{error:#}"))
    }

    /// A model cannot be loaded.
    pub(super) fn models(error: &anyhow::Error) -> Self {
        Self::Models(format!("{error:#}"))
    }

    /// The ledger was not replaced.
    pub(super) fn of_append(error: stream::Error) -> Self {
        if let stream::Error::Fenced { .. } = error {
            return Self::Busy;
        }
        Self::Stream(error)
    }

    /// What was to be done in the background panicked.
    pub(super) fn died(error: &tokio::task::JoinError) -> Self {
        Self::Folder(format!("the policies cannot be checked: {error}"))
    }

    /// Tells if it may be good in a moment, without anybody changing the policies.
    pub fn passes(&self) -> bool {
        match self {
            Self::Busy => true,
            Self::Stream(error) => matches!(
                error,
                stream::Error::Unreachable(_) | stream::Error::Unsure(_)
            ),
            Self::Folder(_)
            | Self::Wrong(_)
            | Self::Models(_)
            | Self::Moved { .. }
            | Self::Unknown(_)
            | Self::Outdated { .. }
            | Self::TooLarge { .. }
            | Self::Ledger(_) => false,
        }
    }

    /// Says everything that is wrong: policies underlined.
    pub fn detail(&self) -> String {
        match self {
            Self::Wrong(problems) => problems.render(false).trim_end().to_owned(),
            Self::Folder(_)
            | Self::Models(_)
            | Self::Moved { .. }
            | Self::Busy
            | Self::Unknown(_)
            | Self::Outdated { .. }
            | Self::TooLarge { .. }
            | Self::Stream(_)
            | Self::Ledger(_) => self.to_string(),
        }
    }
}

fn summary(problems: &Diagnostics) -> String {
    let n = problems.n_errors();
    let first = problems.0.first().map(|problem| {
        let (line, _) = problem.source.position(problem.span.start);
        format!("{}:{line}: {}", problem.source.name, problem.message)
    });
    let first = first.unwrap_or_default();
    match n {
        1 => first,
        n => format!("{n} errors, the first: {first}"),
    }
}
