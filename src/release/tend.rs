//! What goes on beside the folder: the ledger is followed, and what nobody needs is let go.

use std::sync::Arc;
use std::time::Duration;

use super::Releases;
use crate::actors::Node;

/// How often the ledger is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// How many looks lie between two tries to let go of something.
const SWEEP_EVERY: u32 = 5;

/// How long it waits after what does not get better by itself.
const PAUSE: Duration = Duration::from_secs(30);

/// Follows the ledger and lets go of what nobody needs; never ends.
pub async fn tend(releases: Arc<Releases>, node: Arc<Node>) {
    let mut complaint = String::new();
    for n in (1_u32..=u32::MAX).cycle() {
        tokio::time::sleep(EVERY).await;
        let mut tended = releases.keep_up().await;
        if tended.is_ok() && n.is_multiple_of(SWEEP_EVERY) {
            tended = releases.sweep(&node).await.map(drop);
        }
        // The same again and again is said once.
        let Err(error) = tended else {
            complaint.clear();
            continue;
        };
        let why = error.detail();
        if why != complaint {
            tracing::warn!(why, "the policies cannot be followed, trying again");
        }
        complaint = why;
        if !error.passes() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}
