//! Tasks compiled for x86 vectors, reached only through an [`Isa`](super::isa::Isa) that was detected on this machine.
#![allow(unsafe_code)]

use super::task::Task;

/// Runs a task compiled for 512-bit vectors.
pub(super) fn with_avx512<T: Task>(task: T) -> T::Output {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2")]
    fn run<T: Task>(task: T) -> T::Output {
        task.run()
    }
    // SAFETY: `Isa::Avx512` is offered only where these features were detected.
    unsafe { run(task) }
}

/// Runs a task compiled for 256-bit vectors.
pub(super) fn with_avx2<T: Task>(task: T) -> T::Output {
    #[target_feature(enable = "avx2,bmi2,fma")]
    fn run<T: Task>(task: T) -> T::Output {
        task.run()
    }
    // SAFETY: `Isa::Avx2` is offered only where these features were detected.
    unsafe { run(task) }
}
