//! What flow tests share: chance, a workload, a server process, and what came of it.

pub mod chance;
pub mod outcome;
pub mod process;
pub mod shares;
pub mod workload;
