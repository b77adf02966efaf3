//! The API as callers see it.

mod decides;
mod describes;
mod guards;
mod replies;
mod shows;
mod world;
