//! Tests of the whole: of the project itself, and of flows across floors.

#![cfg_attr(
    test,
    expect(clippy::too_many_lines, reason = "a table of cases is one list")
)]

#[cfg(test)]
mod backtest_checkpoint;
#[cfg(test)]
mod backtest_compare;
#[cfg(test)]
mod backtest_stream;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_start;
#[cfg(test)]
mod bounded;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod crash_budgets;
#[cfg(test)]
mod crash_learning;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod example_models;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod export;
#[cfg(test)]
mod hillstrom;
#[cfg(test)]
mod people;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod rule_r;
#[cfg(test)]
mod rule_r_live;
#[cfg(test)]
mod server;
#[cfg(test)]
mod support;
#[cfg(test)]
mod swap;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod watch;
#[cfg(test)]
mod why;
