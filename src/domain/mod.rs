//! The words everything else is written in.

pub mod action;
pub mod cart;
pub mod consent;
pub mod contact;
pub mod crossing;
pub mod decision;
pub mod event;
pub mod fact;
pub mod folded;
pub mod id;
pub mod instance;
pub mod name;
pub mod outcome;
pub mod profile;
pub mod response;
pub mod score;
pub mod segment;
pub mod suppression;
pub mod time;
pub mod timer;
pub mod trace;
pub mod value;
pub mod zone;

pub use action::{Action, Answer, Choice, Loser, Reason};
pub use crossing::Crossing;
pub use event::Event;
pub use fact::Fact;
pub use id::{CustomerId, EventId, Partition};
pub use profile::Profile;
pub use score::{Cell, Score};
pub use time::{Duration, Timestamp};
pub use timer::Timer;
pub use trace::{Trace, What};
pub use value::{Map, Value};
pub use zone::Zone;
