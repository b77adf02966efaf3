//! Seeded chance: equal seeds, equal runs.

/// A generator of numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the seed that `ATTUNE_SEED` names, else the default one; and prints it.
    pub fn seed() -> u64 {
        let seed = std::env::var("ATTUNE_SEED").ok();
        let seed = seed.map_or(20_260_301, |text| {
            text.parse().expect("`ATTUNE_SEED` is a whole number")
        });
        println!("ATTUNE_SEED={seed}");
        seed
    }

    /// Returns a number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % n.max(1)
    }

    /// Returns an index into something of this length.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }
}
