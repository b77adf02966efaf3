//! A journey or a placement in plain words, and a journey as a picture: for people who do not read YAML.

mod act;
mod enter;
mod guards;
mod mermaid;
mod migrate;
mod placement;
mod text;
mod tree;
mod words;

pub use act::act;
pub use enter::{on, reentry, repeat};
pub use guards::asks;
pub use mermaid::mermaid;
pub use placement::placement;
pub use text::text;
pub use tree::{exit, goal};
pub use words::{length, percent, said, trigger};
