//! The API as callers see it.

mod accounts;
mod decides;
mod describes;
mod evals;
mod guards;
mod placements;
mod replies;
mod shows;
mod world;
