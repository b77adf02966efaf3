//! Attune decides, for every customer, what to do next, while the customer is still there.
//!
//! The floors; a module uses lower floors only, and neighbors do not know each other:
//!
//! ```text
//! 8  main cli app config dev pages     starts, wires, stops
//! 7  api                               HTTP and NATS requests in, answers out
//! 6  release                           how policies become live, and what was live before
//! 5  actors                            order, concurrency, supervision
//! 4  store scoring stream              one door each: disk, models, NATS
//! 3  clock telemetry                   the time; the names of what we measure
//! ── purity line: below it no I/O, clock, randomness, async, or logging ──
//! 2  decide                            one input in, effects out
//! 1  policy                            text in, checked rules and diagnostics out
//! 0  domain                            the words everything else is written in
//! ```

pub mod actors;
pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod decide;
pub mod domain;
pub mod pages;
pub mod policy;
pub mod release;
pub mod scoring;
pub mod store;
pub mod stream;
pub mod telemetry;
