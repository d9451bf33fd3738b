//! A list of energies in four numbers: the one place where a standard deviation is taken.
//!
//! It is that of a sample: what energies yet to be found would have, estimated from those at hand. Their own mean lies closer
//! to them than the true one does, so the squared differences from it are divided by n − 1 and not by n (Bessel's correction).

/// Why a list of numbers is no sample.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// There is nothing to summarise.
    #[error("there are no values")]
    Empty,
    /// NaN or an infinity.
    #[error("value {index} is {value}, expected a finite number")]
    NotFinite {
        /// Its place in the list, from 0.
        index: usize,
        /// What is there.
        value: f64,
    },
}

/// A summary of observations, in their unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Number of observations, at least 1.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with the divisor n − 1; none for a single observation.
    pub sd: Option<f64>,
    /// The least observation.
    pub least: f64,
}

impl Sample {
    /// Summarises `values`, in any order.
    ///
    /// Differences from the first value are summed, then squared differences from the mean: equal values have a
    /// standard deviation of exactly 0, and a mean far from 0 costs no digits. Cost: O(n), no allocation.
    ///
    /// ```
    /// use frustration::report::Sample;
    /// let sample = Sample::of(&[4.0, 6.0, 8.0])?; // differences from the mean: −2, 0, 2; sd = √(8 / 2)
    /// assert_eq!(sample, Sample { n: 3, mean: 6.0, sd: Some(2.0), least: 4.0 });
    /// # Ok::<(), frustration::report::SampleError>(())
    /// ```
    ///
    /// # Errors
    /// If `values` is empty or holds a NaN or an infinity.
    pub fn of(values: &[f64]) -> Result<Self, SampleError> {
        let &first = values.first().ok_or(SampleError::Empty)?;
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return Err(SampleError::NotFinite { index, value: values[index] });
        }
        let n = values.len();
        let shift = values.iter().map(|value| value - first).sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - first - shift).powi(2)).sum();
        let sd = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        Ok(Self { n, mean: first + shift, sd, least: values.iter().copied().fold(first, f64::min) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_numbers() {
        let sample = Sample::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!((sample.n, sample.mean, sample.least), (8, 5.0, 2.0));
        assert!((sample.sd.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn equal_values_have_no_spread_at_all() {
        // Added up and divided, 0.1 does not come back.
        let sample = Sample::of(&[0.1; 80]).unwrap();
        assert_eq!((sample.mean, sample.sd), (0.1, Some(0.0)));
    }

    #[test]
    fn a_large_mean_costs_no_digits() {
        let sample = Sample::of(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]).unwrap();
        assert_eq!((sample.mean, sample.sd), (1e9 + 10.0, Some(30.0_f64.sqrt())));
    }

    #[test]
    fn one_value_has_no_standard_deviation() {
        assert_eq!(Sample::of(&[0.4]).unwrap(), Sample { n: 1, mean: 0.4, sd: None, least: 0.4 });
    }

    #[test]
    fn nothing_and_nan_are_refused() {
        assert_eq!(Sample::of(&[]), Err(SampleError::Empty));
        assert!(matches!(Sample::of(&[0.4, f64::NAN]), Err(SampleError::NotFinite { index: 1, .. })));
        assert!(matches!(Sample::of(&[f64::INFINITY]), Err(SampleError::NotFinite { index: 0, .. })));
    }
}
