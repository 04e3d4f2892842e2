//! What a rule would do and how it did: a backtest of past tickets, and a report of decisions. Pure.

pub mod backtest;
pub mod charts;
pub mod report;
