//! Which null models are to be solved.

use std::fmt;
use std::str::FromStr;

use crate::null::{Init, Kind, Model};

/// All null models of a run, in the order of its table. N3 without a distribution: the first half, and the odd one, He;
/// the others Xavier; each counted from 0.
pub(super) fn models(kinds: &[Kind], n: u32) -> Vec<Model> {
    let share = |place: usize| (n as usize + kinds.len() - 1 - place) / kinds.len();
    let each = |(place, &kind): (usize, &Kind)| (0..share(place) as u32).map(move |index| Model { kind, index });
    kinds.iter().enumerate().flat_map(each).collect()
}

/// Both distributions of N3.
pub(super) const N3: [Kind; 2] = [Kind::N3(Init::He), Kind::N3(Init::Xavier)];

/// `--shard`: every n-th null model, from the i-th.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shard {
    i: usize,
    n: usize,
}

impl Shard {
    /// The whole.
    pub const ALL: Self = Self { i: 1, n: 1 };

    /// This shard's part of a list.
    pub fn of(self, models: Vec<Model>) -> Vec<Model> {
        models.into_iter().skip(self.i - 1).step_by(self.n).collect()
    }
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        let shard = numbers.map(|(i, n)| Self { i, n }).filter(|shard| (1..=shard.n).contains(&shard.i));
        shard.ok_or("expected i/n with i from 1 to n, e.g. 2/4")
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.i, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(models: &[Model]) -> Vec<String> {
        models.iter().map(Model::to_string).collect()
    }

    #[test]
    fn he_comes_first_and_takes_the_odd_one() {
        assert_eq!(names(&models(&N3, 3)), ["n3-he-0", "n3-he-1", "n3-xavier-0"]);
        assert_eq!(names(&models(&N3, 1)), ["n3-he-0"]);
        assert_eq!(names(&models(&[Kind::N1], 2)), ["n1-0", "n1-1"]);
    }

    #[test]
    fn shards_are_a_partition() {
        let all = models(&N3, 7);
        let mut parts: Vec<_> = (1..=4).flat_map(|i| Shard { i, n: 4 }.of(all.clone())).collect();
        assert_eq!(names(&Shard { i: 4, n: 4 }.of(all.clone())), ["n3-he-3"]);
        parts.sort_by_key(|model| all.iter().position(|m| m == model));
        assert_eq!(parts, all);
        assert_eq!(Shard::ALL.of(all.clone()), all);
    }

    #[test]
    fn shards_count_from_one() {
        assert_eq!("2/4".parse(), Ok(Shard { i: 2, n: 4 }));
        for wrong in ["", "1", "0/4", "5/4", "1/0", "/4", "1/", "a/b", "-1/4", "1/4/8"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
