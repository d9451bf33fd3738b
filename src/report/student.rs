//! Tails of Student's t distribution, in logarithms.
//!
//! The mean of n normal numbers, divided by its standard error as estimated from the same numbers, follows Student's t
//! distribution with ν = n − 1 degrees of freedom. It looks like a normal distribution with heavier tails, the heavier the
//! fewer numbers the estimate rests on. The p-value of a test is the weight of both tails beyond ±|t|:
//!
//! ```text
//!              ▂▅▇█▇▅▂
//!           ▂▄█████████▄▂
//!      ▁▂▃▅███████████████▅▃▂▁
//!   ────┤ p/2 ├─── 0 ───┤ p/2 ├────
//!     −∞    −|t|       |t|    ∞
//! ```
//!
//! In formulas `p = I_x(ν/2, ½)` with `x = ν / (ν + t²)`, the regularised incomplete beta function. Libraries compute p
//! itself, which for t = 40 and ν = 10⁶ is 10⁻³⁴⁹, less than any double. Here the continued fraction of I (DLMF 8.17.22),
//! which is near 1, is a plain number, and only the factor before it, `xᵃ yᵇ / (a B(a, b))` with `y = 1 − x`, becomes small;
//! so that factor is kept as a logarithm. `ln x` comes from `ln(1 + t²/ν)`, which loses nothing when x is close to 1.

use std::f64::consts::{LN_10, PI};

/// Far above what the fraction needs where it is used: about 100 at the worst place, t² near 3 and many degrees of
/// freedom.
const MAX_TERMS: u32 = 10_000;

/// log₁₀ of the probability that |T| ≥ |t|, T having Student's t distribution with `dof` degrees of freedom.
///
/// `t` is any number, infinities included; `dof` is positive and finite. NaN gives NaN. The result is at most 0. Its
/// error relative to `max(1, |result|)` is below 1e-13 up to 1000 degrees of freedom and grows with them, to 1e-10 at a
/// million, for every t. Cost: about 10 terms of a fraction, 100 at worst.
///
/// With one degree of freedom half of the distribution lies beyond ±1:
/// ```
/// use frustration::report::log10_two_sided;
/// assert!((log10_two_sided(1.0, 1.0) - 0.5_f64.log10()).abs() < 1e-14);
/// ```
pub fn log10_two_sided(t: f64, dof: f64) -> f64 {
    if t.is_nan() || dof.is_nan() {
        return f64::NAN;
    }
    debug_assert!(dof > 0.0 && dof.is_finite());
    // r² = t²/ν, y/x = r².
    let r = t.abs() / dof.sqrt();
    if r == 0.0 {
        return 0.0;
    }
    if r.is_infinite() {
        return f64::NEG_INFINITY;
    }
    let log_x = if r < 1.0 { -(r * r).ln_1p() } else { -2.0 * r.hypot(1.0).ln() };
    let log_y = 2.0 * r.ln() + log_x;
    let (x, y) = (log_x.exp(), (r / r.hypot(1.0)).powi(2));
    let (a, b) = (0.5 * dof, 0.5);
    let log_factor = a * log_x + b * log_y - log_beta_half(a);
    // Each fraction converges fast on its side of the mean of the beta distribution.
    let log_p = if y * (dof + 5.0) > 3.0 {
        log_factor + (fraction(a, b, x) / a).ln()
    } else {
        (-log_factor.exp() * fraction(b, a, y) / b).ln_1p()
    };
    log_p / LN_10
}

/// `ln B(a, ½)` for a > 0: `½ ln π − ln(Γ(a + ½) / Γ(a))`, the quotient by its asymptotic series (difference of DLMF
/// 5.11.8 at h = ½ and 0), after the argument was raised to where six terms suffice. Two log-gammas would cancel.
fn log_beta_half(a: f64) -> f64 {
    let (mut a, mut quotient) = (a, 1.0);
    while a < 16.0 {
        quotient *= a / (a + 0.5);
        a += 1.0;
    }
    let i = 1.0 / a;
    let terms = [-1.0 / 8.0, 1.0 / 192.0, -1.0 / 640.0, 17.0 / 14336.0, -31.0 / 18432.0, 691.0 / 180224.0];
    let series = i * terms.iter().rev().fold(0.0, |sum, term| sum * i * i + term);
    0.5 * PI.ln() - (quotient.ln() + 0.5 * a.ln() + series)
}

/// `a B(a, b) I_x(a, b) / (xᵃ (1 − x)ᵇ)` by Lentz's method, for `x < (a + 1) / (a + b + 2)`.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let (mut value, mut c, mut d) = (1.0, 1.0, 0.0);
    for k in 1..=MAX_TERMS {
        let m = f64::from(k / 2);
        let coefficient = match k % 2 {
            1 => -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)),
            _ => m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)),
        };
        d = 1.0 / (1.0 + coefficient * d);
        c = 1.0 + coefficient / c;
        value *= c * d;
        if (c * d - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    1.0 / value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(t, degrees of freedom, log10 p)`; by mpmath 1.4.1 with 60 digits, of the doubles as they are:
    /// `log10(betainc(nu/2, 1/2, 0, nu/(nu + t*t), regularized=True))`.
    const PINNED: &[(f64, f64, f64)] = &[
        (1e-9, 10.0, -3.379752481689871e-10),
        (0.5, 2.0, -0.17609125905568124),
        (1.0, 1.5, -0.34569312455153717),
        (1.7, 79.3, -1.031282593377298),
        (1.75, 79.3, -1.0757907206554285),
        (2.0, 158.0, -1.3259305029287602),
        (3.0, 1.0, -0.6886005731361058),
        (3.0, 1000000.0, -2.5686583465897805),
        (12.5, 90.25, -20.67185032118719),
        (40.0, 158.0, -83.84047476193578),
        (40.0, 1000000.0, -348.8579770684111),
        (500.0, 150.0, -242.84489446412903),
        (10000.0, 237.5, -669.1764167114286),
        (1000000.0, 79.0, -400.0919776924575),
        (1000000.0, 1000.0, -4501.598168729048),
        (1e100, 150.0, -14837.979984957641),
    ];

    #[test]
    fn values_of_mpmath() {
        for &(t, dof, expected) in PINNED {
            for t in [t, -t] {
                let found = log10_two_sided(t, dof);
                let tolerance = 1e-16 * dof.max(100.0) * expected.abs().max(1.0);
                assert!((found - expected).abs() <= tolerance, "t {t}, dof {dof}: {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn one_degree_of_freedom_is_cauchy() {
        for t in [1e-6_f64, 0.3, 1.0, 1.7, 5.0, 1e4] {
            let expected = (2.0 / PI * (1.0 / t).atan()).log10();
            assert!((log10_two_sided(t, 1.0) - expected).abs() < 1e-14 * expected.abs().max(1.0), "{t}");
        }
    }

    #[test]
    fn the_two_fractions_meet() {
        // The probability falls smoothly through the place where one takes over from the other.
        for dof in [1.0_f64, 4.5, 79.0, 158.0, 1e3, 1e5] {
            let t = (3.0 * dof / (dof + 2.0)).sqrt();
            let [before, after] = [t * (1.0 - 1e-9), t * (1.0 + 1e-9)].map(|t| log10_two_sided(t, dof));
            assert!(before > after && before - after < 1e-8, "{dof}: {before} {after}");
        }
    }

    #[test]
    fn ends() {
        assert_eq!(log10_two_sided(0.0, 7.0), 0.0);
        assert_eq!(log10_two_sided(f64::INFINITY, 7.0), f64::NEG_INFINITY);
        assert!(log10_two_sided(f64::NAN, 7.0).is_nan() && log10_two_sided(1.0, f64::NAN).is_nan());
        assert!(log10_two_sided(f64::MIN_POSITIVE, 7.0) <= 0.0);
        assert!(log10_two_sided(f64::MAX, 1e6).is_finite());
    }
}
