//! THE GUIDE: the pages of `docs/`, for readers who want to know what the numbers mean and how they come about.
//!
//! 1. [`definitions`]: edge rules, energy, methods, null models, active subnetworks, Ω and λ;
//! 2. [`architecture`]: the stages, the ideas in pictures, the modules, and where to add what;
//! 3. [`images`]: formats, preprocessing, labels, running a network;
//! 4. [`memory`]: what each command holds, and what `--memory` does;
//! 5. [`tables`]: every column of every table.
//!
//! The format of graph directories is specified in [`shard`](crate::shard).

// A page links to files. What is defined here first, under the same names, leads to pages of this documentation instead.

pub mod definitions {
    #![doc = "[4 bytes an edge]: super::memory#disk"]
    #![doc = "[tables.md]: super::tables"]
    #![doc = ""]
    #![doc = include_str!("../docs/definitions.md")]
}

pub mod architecture {
    #![doc = "[edge rules]: super::definitions#edge-rules"]
    #![doc = "[graph directory]: crate::shard"]
    #![doc = "[`--memory`]: super::memory"]
    #![doc = "[images]: super::images"]
    #![doc = "[tables.md]: super::tables"]
    #![doc = "[`net`]: crate::net"]
    #![doc = "[`graph`]: crate::graph"]
    #![doc = "[`unroll`]: crate::unroll"]
    #![doc = "[`shard`]: crate::shard"]
    #![doc = "[`kernel`]: crate::kernel"]
    #![doc = "[`spin`]: crate::spin"]
    #![doc = "[`null`]: crate::null"]
    #![doc = "[`image`]: crate::image"]
    #![doc = "[`forward`]: crate::forward"]
    #![doc = "[`active`]: crate::active"]
    #![doc = "[`perturb`]: crate::perturb"]
    #![doc = "[`table`]: crate::table"]
    #![doc = "[`report`]: crate::report"]
    #![doc = "[`import`]: crate::import"]
    #![doc = "[`export`]: crate::export"]
    #![doc = "[`run`]: crate::run"]
    #![doc = "[`cli`]: crate::cli"]
    #![doc = ""]
    #![doc = include_str!("../docs/architecture.md")]
}

pub mod images {
    #![doc = "[channel shuffle]: super::definitions#order-of-nodes"]
    #![doc = ""]
    #![doc = include_str!("../docs/images.md")]
}

pub mod memory {
    #![doc = "[`src/spin/memory.rs`]: crate::spin::memory"]
    #![doc = ""]
    #![doc = include_str!("../docs/memory.md")]
}

pub mod tables {
    #![doc = include_str!("../docs/tables.md")]
}
