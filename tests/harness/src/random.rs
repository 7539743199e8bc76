//! Seeded choices, so that a failing schedule can be run again.

/// SplitMix64 (Steele, Lea, Flood 2014): small, and good enough for schedules.
pub struct Random(u64);

impl Random {
    /// The seed is `SEED` from the environment if set, else `default`; it is
    /// printed, so that a failed run can be repeated.
    pub fn seeded(default: u64) -> Self {
        let seed = std::env::var("SEED")
            .ok()
            .and_then(|seed| seed.parse().ok())
            .unwrap_or(default);
        println!("SEED={seed}");
        Random(seed)
    }

    /// A generator from exactly this seed.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { self.draw() % bound }
    }
}
