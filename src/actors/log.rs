//! The state log of a partition: reading its commits, and claiming it.

use futures::StreamExt;

use crate::actors::engine::Engine;
use crate::actors::record::{self, Assembler, Commit};
use crate::actors::recover::Error;
use crate::domain::Partition;
use crate::stream::CommitId;

/// Gives every commit of a log to `take`, in order, and checks that none is missing.
///
/// # Errors
///
/// The log cannot be read, or has a gap.
pub async fn read(
    engine: &Engine,
    id: Partition,
    after: u64,
    upto: u64,
    take: &mut (dyn FnMut(u64, Commit) -> Result<(), Error> + Send),
) -> Result<(), Error> {
    if upto <= after {
        return Ok(());
    }
    let mut log = engine.streams.log(id, after, upto).await?;
    let mut assembler = Assembler::default();
    let (mut begin, mut end) = (after, after);
    while let Some(message) = log.next().await {
        let message = message?;
        if record::is_first(&message.record) {
            // Before it may lie the parts of a commit whose writer died half-way.
            begin = end;
        }
        end = message.seq;
        let Some(commit) = assembler.take(&message.record)? else {
            continue;
        };
        if commit.prev != begin {
            return Err(Error::Gap {
                partition: id.0,
                have: begin,
                want: commit.prev,
            });
        }
        take(message.seq, commit)?;
    }
    Ok(())
}

/// Claims a log: whoever held it before can append no more. Returns where it ends then.
///
/// # Errors
///
/// Somebody else has appended meanwhile, or NATS refused.
pub async fn claim(
    engine: &Engine,
    id: Partition,
    expected: u64,
    commit: &Commit,
) -> Result<u64, Error> {
    let mut end = expected;
    for chunk in commit.encode(engine.payload_max)? {
        // Two processes that start at the same time must not take each other's claim for their own.
        let now = u128::from(crate::clock::now().as_millis().unsigned_abs());
        let id_of_chunk =
            CommitId((u128::from(std::process::id()) << 96) ^ (now << 16) ^ u128::from(id.0));
        end = engine.streams.append(id, end, id_of_chunk, chunk).await?;
    }
    Ok(end)
}
