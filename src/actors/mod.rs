//! Order, concurrency and supervision; nothing here knows what a decision means.
//!
//! ```text
//! reader ──► partition (one each) ──► customers (on demand)
//!                │  commit record: append to the state log
//!                ├──► emitter: what leaves, in order, after its commit
//!                └──► checkpoint: images of dirty customers to the store
//! ```

pub mod board;
pub mod census;
pub mod customer;
pub mod emitter;
pub mod engine;
pub mod eras;
pub mod exchange;
mod gather;
mod held;
pub mod image;
pub mod live;
mod load;
mod log;
pub mod node;
mod outgoing;
pub mod packing;
pub mod page;
pub mod partition;
pub mod past;
mod reader;
pub mod record;
mod recover;
mod round;
pub mod scorer;
mod table;
mod timers;
mod watch;

pub use engine::{Engine, Limits};
pub use node::Node;
pub use partition::{AskError, Headcount};
