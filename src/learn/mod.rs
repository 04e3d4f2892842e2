//! What a rule would do and how it did: a backtest of past tickets, a report of decisions, and examples proposed from them. Pure.

pub mod backtest;
pub mod charts;
pub mod report;
pub mod suggest;
