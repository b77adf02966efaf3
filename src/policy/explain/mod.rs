//! A journey in plain words, and as a picture: for people who do not read YAML.

mod act;
mod enter;
mod guards;
mod mermaid;
mod text;
mod tree;
mod words;

pub use mermaid::mermaid;
pub use text::text;
pub use words::length;
