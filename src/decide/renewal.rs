//! Whom it concerns that segments, absences or schedules are others.

use crate::decide::drive::introduce;
use crate::domain::{Profile, Timestamp};
use crate::policy::Bundle;

/// Tells if a customer's segments or timers would be others if they followed these policies.
///
/// Whom it does not concern need not be told: with their next input they follow, too, and nothing comes of it.
pub fn concerns(bundle: &Bundle, profile: &Profile, now: Timestamp) -> bool {
    if profile.standing == bundle.standing {
        return false;
    }
    let mut copy = profile.clone();
    introduce(bundle, &mut copy, now.max(profile.now));
    copy.segments != profile.segments || copy.timers != profile.timers
}
