//! Sticky chance: equal words give the same draw, for ever.

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::Profile;
use crate::policy::journey::Journey;

/// Returns a number in `[0, 1)` that stands for the words; evenly spread over all words.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are what a double holds"
)]
pub fn draw(words: &[&str]) -> f64 {
    let bits = xxh3_64(words.join("\u{0}").as_bytes()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}

/// Tells if a customer is of the sticky share that walks a journey and gets nothing, so that there is something to
/// compare with.
pub fn is_held_out(profile: &Profile, journey: &Journey) -> bool {
    journey.holdout > 0.0 && holdout(profile, journey) < journey.holdout
}

/// Returns where a customer stands among all, in `[0, 1)`: the first ones are held out.
pub fn holdout(profile: &Profile, journey: &Journey) -> f64 {
    draw(&[profile.id.as_str(), &journey.name, "holdout"])
}

/// Writes a draw as a percentage, cut and not rounded, so that it is never above a share that it is below.
pub fn shown(draw: f64) -> String {
    let cut = (draw * 1e4).floor() / 1e2;
    format!("{cut}%")
}
