//! A document of a given length that needs no trace: phrases written here and there, some of
//! them taken out again, the same in each run.

use crate::trace::Patch;

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) as usize % limit.max(1)
    }
}

/// The patches that lead to a text of `length` characters (all ASCII) or a few more.
pub fn patches(length: usize) -> Vec<Patch> {
    const WORDS: [&str; 8] = [
        "delta ",
        "replica ",
        "of ",
        "and ",
        "converges ",
        "a ",
        "signed, ",
        "node.\n",
    ];
    let mut random = Random(7);
    let mut patches = Vec::new();
    let mut have = 0;
    while have < length {
        let phrase: String = (0..2 + random.below(12))
            .map(|_| WORDS[random.below(8)])
            .collect();
        let at = random.below(have + 1);
        let deleted = match random.below(4) {
            0 => random.below(20).min(have - at),
            _ => 0,
        };
        have = have - deleted + phrase.len();
        patches.push(Patch(at, deleted, phrase));
    }
    patches
}
