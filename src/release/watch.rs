//! Watches the folder of the policies.
//!
//! It is looked at again and again instead of being told by the system: that works on every file system and for every
//! way to replace a file (links of config maps, editors that rename, folders that are removed and made again).

use std::sync::Arc;
use std::time::Duration;

use super::Releases;

/// How often the file system is asked.
const EVERY: Duration = Duration::from_millis(200);

/// Takes in what changes in the folder; never ends.
pub async fn watch(releases: Arc<Releases>) {
    let mut seen = Seen::default();
    // What changed since the start is taken in at once.
    let mut forced = true;
    loop {
        if seen.look(&releases, forced).await && !releases.look().await {
            seen.taken = 0;
        }
        forced = tokio::select! {
            () = releases.nudge.notified() => true,
            () = tokio::time::sleep(EVERY) => false,
        };
    }
}

/// What was last seen of the folder.
#[derive(Default)]
struct Seen {
    stamp: Option<super::folder::Stamp>,
    /// The content that was taken in.
    taken: u64,
    /// A content that was seen once: whoever writes it may not have finished.
    fresh: u64,
}

impl Seen {
    /// Tells if there is something to take in: content that is another one, and stays for a moment.
    ///
    /// - `take`: what is there counts as taken in.
    async fn look(&mut self, releases: &Releases, take: bool) -> bool {
        let (folder, last) = (releases.folder.clone(), self.stamp);
        let looking = tokio::task::spawn_blocking(move || {
            let stamp = folder.stamp();
            let quiet = !stamp.fresh && Some(stamp) == last && !take;
            (stamp, (!quiet).then(|| folder.content()))
        });
        let Ok((stamp, content)) = looking.await else {
            return false;
        };
        self.stamp = Some(stamp);
        let content = content.unwrap_or(self.fresh);
        let settled = content == self.fresh;
        self.fresh = content;
        if take || (settled && content != self.taken) {
            self.taken = content;
            return true;
        }
        false
    }
}
