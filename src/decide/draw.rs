//! Sticky chance: equal words give the same draw, for ever.

use xxhash_rust::xxh3::xxh3_64;

/// Returns a number in `[0, 1)` that stands for the words; evenly spread over all words.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits are what a double holds"
)]
pub fn draw(words: &[&str]) -> f64 {
    let bits = xxh3_64(words.join("\u{0}").as_bytes()) >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
