//! Two samples against each other: does the difference of their means exceed what their scatter explains, and is it large?
//!
//! Student's own test of two means assumes that both scatter equally. Energies do not: a network that is solved from many
//! starts gives nearly the same energy every time, null models differ among themselves. Welch's test estimates both scatters,
//! and pays with fewer degrees of freedom the more the two differ.

use super::{Sample, log10_two_sided};

/// Why two samples cannot be set against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// A standard deviation is missing.
    #[error("a single value has no standard deviation; at least two of each case are needed")]
    TooFew,
    /// Division by zero.
    #[error("neither case varies and their means differ, so t is not defined")]
    NoSpread,
}

/// The result of Welch's t-test. Dimensionless.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// Difference of the means in units of its standard error.
    pub t: f64,
    /// Degrees of freedom, by Welch and Satterthwaite; a fraction in general.
    pub degrees_of_freedom: f64,
    /// log₁₀ of the two-sided p-value.
    pub log10_p: f64,
}

/// Welch's t-test of equal means, without the assumption of equal variances. The sign is that of `mean(sample) −
/// mean(reference)`.
///
/// The squared standard error of a mean is `uᵢ = sdᵢ² / nᵢ`, that of the difference of two is their sum, hence
/// `t = (m₁ − m₂) / √(u₁ + u₂)`. Under the hypothesis of equal means t follows, closely enough, Student's distribution with
/// `ν = (u₁ + u₂)² / (u₁² / (n₁ − 1) + u₂² / (n₂ − 1))` degrees of freedom: at most `n₁ + n₂ − 2`, and close to `nᵢ − 1` if
/// sample i alone varies. p is the probability of |T| ≥ |t|. If neither sample varies and the means are equal, t is 0, p is 1
/// and ν is that of equal variances.
///
/// Means 6 and 2, standard deviations 2 and 1, three values each: u₁ = 4/3, u₂ = 1/3, t = 4 / √(5/3), ν = (25/9) / (17/18):
/// ```
/// use frustration::report::{Sample, welch};
/// let test = welch(&Sample::of(&[4.0, 6.0, 8.0])?, &Sample::of(&[1.0, 2.0, 3.0])?)?;
/// assert!((test.t - 4.0 / (5.0_f64 / 3.0).sqrt()).abs() < 1e-12);
/// assert!((test.degrees_of_freedom - 50.0 / 17.0).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Standard deviations as small as the rounding of their values (1e-16) are taken at their word, and t is then huge.
///
/// Source: B. L. Welch, "The generalization of 'Student's' problem when several different population variances are
/// involved", Biometrika 34 (1947); F. E. Satterthwaite, Biometrics Bulletin 2 (1946). Cost: O(1).
///
/// # Errors
/// If a sample has one value only, or if neither varies and their means differ.
pub fn welch(sample: &Sample, reference: &Sample) -> Result<Welch, Undefined> {
    let (sd_1, sd_2) = spreads(sample, reference)?;
    let (n_1, n_2) = (sample.n as f64, reference.n as f64);
    let (error_1, error_2) = (sd_1 / n_1.sqrt(), sd_2 / n_2.sqrt());
    let error = error_1.hypot(error_2);
    // The share of the first sample in the squared error: unlike fourth powers it does not underflow.
    let (t, share) = if error > 0.0 {
        ((sample.mean - reference.mean) / error, (error_1 / error).powi(2))
    } else {
        (0.0, n_2 / (n_1 + n_2))
    };
    let degrees_of_freedom = 1.0 / (share.powi(2) / (n_1 - 1.0) + (1.0 - share).powi(2) / (n_2 - 1.0));
    Ok(Welch { t, degrees_of_freedom, log10_p: log10_two_sided(t, degrees_of_freedom) })
}

/// Cohen's d: the difference of the means, `sample` less `reference`, in pooled standard deviations. Dimensionless.
///
/// `d = (m₁ − m₂) / √(((n₁ − 1) sd₁² + (n₂ − 1) sd₂²) / (n₁ + n₂ − 2))`; 0 if neither sample varies and the means are
/// equal. Unlike t it does not grow with the number of values.
///
/// Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences", 2nd edition (1988), section 2.5. Cost:
/// O(1).
///
/// # Errors
/// As [`welch`].
pub fn cohens_d(sample: &Sample, reference: &Sample) -> Result<f64, Undefined> {
    let (sd_1, sd_2) = spreads(sample, reference)?;
    let (free_1, free_2) = (sample.n as f64 - 1.0, reference.n as f64 - 1.0);
    let free = free_1 + free_2;
    let pooled = (sd_1 * (free_1 / free).sqrt()).hypot(sd_2 * (free_2 / free).sqrt());
    Ok(if pooled > 0.0 { (sample.mean - reference.mean) / pooled } else { 0.0 })
}

/// Both standard deviations, if the samples can be compared.
fn spreads(sample: &Sample, reference: &Sample) -> Result<(f64, f64), Undefined> {
    let (Some(sd_1), Some(sd_2)) = (sample.sd, reference.sd) else { return Err(Undefined::TooFew) };
    if sd_1 == 0.0 && sd_2 == 0.0 && sample.mean != reference.mean {
        return Err(Undefined::NoSpread);
    }
    Ok((sd_1, sd_2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(n: usize, mean: f64, sd: f64) -> Sample {
        Sample { n, mean, sd: Some(sd), least: mean }
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() <= 1e-13 * expected.abs(), "{found}, expected {expected}");
    }

    #[test]
    fn values_of_scipy() {
        // scipy.stats.ttest_ind_from_stats(equal_var=False), digits and d by mpmath.
        let (case, reference) = (sample(80, 0.4131, 0.0012), sample(80, 0.4119, 0.0031));
        let test = welch(&case, &reference).unwrap();
        close(test.t, 3.2288294111823923);
        close(test.degrees_of_freedom, 102.15542484726086);
        close(test.log10_p, -2.7768086535535152);
        close(cohens_d(&case, &reference).unwrap(), 0.5105227557738351);
        let (case, reference) = (sample(160, 0.42, 0.001), sample(80, 0.4195, 0.004));
        let test = welch(&case, &reference).unwrap();
        close(test.t, 1.1009637651263615);
        close(test.degrees_of_freedom, 83.97390343472789);
        close(test.log10_p, -0.5621570418682983);
        close(cohens_d(&case, &reference).unwrap(), 0.20448244662271045);
        let (case, reference) = (sample(2, 1.0, 0.5), sample(3, 0.0, 0.25));
        let test = welch(&case, &reference).unwrap();
        close(test.t, 2.618614682831909);
        close(test.degrees_of_freedom, 1.3424657534246576);
        close(test.log10_p, -0.7500267312402985);
        close(cohens_d(&case, &reference).unwrap(), 2.8284271247461903);
    }

    #[test]
    fn a_sample_without_spread_leaves_the_other_one_to_decide() {
        let test = welch(&sample(80, 0.42, 0.0), &sample(80, 0.40, 0.001)).unwrap();
        close(test.degrees_of_freedom, 79.0);
        close(test.t, (0.42 - 0.40) / 0.001 * 80.0_f64.sqrt());
    }

    #[test]
    fn two_samples_without_spread() {
        let (low, high) = (sample(3, 0.25, 0.0), sample(6, 0.5, 0.0));
        assert_eq!((welch(&low, &high), cohens_d(&low, &high)), (Err(Undefined::NoSpread), Err(Undefined::NoSpread)));
        let same = welch(&low, &sample(6, 0.25, 0.0)).unwrap();
        assert_eq!((same.t, same.log10_p, cohens_d(&low, &low)), (0.0, 0.0, Ok(0.0)));
        assert!(same.degrees_of_freedom > 2.0 && same.degrees_of_freedom < 7.0);
    }

    #[test]
    fn a_single_value_cannot_be_tested() {
        let one = Sample::of(&[0.4]).unwrap();
        let many = sample(80, 0.4, 0.001);
        assert_eq!((welch(&one, &many), welch(&many, &one)), (Err(Undefined::TooFew), Err(Undefined::TooFew)));
        assert_eq!(cohens_d(&one, &one), Err(Undefined::TooFew));
    }

    #[test]
    fn tiny_spreads_do_not_underflow() {
        let test = welch(&sample(80, 1e-170, 1e-200), &sample(80, 0.0, 1e-200)).unwrap();
        close(test.degrees_of_freedom, 158.0);
        assert!(test.t > 1e30 && test.log10_p < -4000.0 && test.log10_p.is_finite());
    }

    #[test]
    fn exchanging_the_samples_changes_the_sign_only() {
        let (a, b) = (sample(80, 0.41, 0.002), sample(160, 0.40, 0.001));
        let (there, back) = (welch(&a, &b).unwrap(), welch(&b, &a).unwrap());
        assert_eq!(there.t, -back.t);
        close(there.log10_p, back.log10_p);
        assert_eq!(cohens_d(&a, &b).unwrap(), -cohens_d(&b, &a).unwrap());
    }
}
