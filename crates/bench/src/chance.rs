//! Numbers that look random and are the same every time.

/// A generator of numbers: splitmix64, as Steele, Lea and Flood describe it.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Begins at `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from `low` to `high`, both included; `low` where they are the
    /// wrong way round.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next_bits() % (high.saturating_sub(low) + 1)
    }

    /// One of `choices`.
    pub fn one_of<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        let last = choices.len().saturating_sub(1) as u64;
        choices.get(self.between(0, last) as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_within_their_bounds() {
        let (mut one, mut two) = (Chance::new(7), Chance::new(7));
        for _ in 0..1000 {
            let number = one.between(3, 9);
            assert_eq!(number, two.between(3, 9));
            assert!((3..=9).contains(&number));
        }
    }
}
