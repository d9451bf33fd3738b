//! The choice of instruction set.

use super::task::Task;
#[cfg(target_arch = "x86_64")]
use super::x86;

/// An instruction set of the machine. All give identical bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// Plain Rust.
    Portable,
    /// 256-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// 128-bit vectors of aarch64.
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Isa {
    /// The widest that this machine has.
    pub fn detect() -> Self {
        Self::available()[0]
    }

    /// All that this machine has, widest first.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 =
                is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("bmi2");
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if avx2 && avx512 {
                found.push(Self::Avx512);
            }
            if avx2 {
                found.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            found.push(Self::Neon);
        }
        found.push(Self::Portable);
        found
    }

    /// Runs a task compiled for this instruction set: the same arithmetic, wider vectors.
    pub fn run<T: Task>(self, task: T) -> T::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => x86::with_avx512(task),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => x86::with_avx2(task),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => task.run(),
            Self::Portable => task.run(),
        }
    }
}
