//! Which null models are to be solved.

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
}
