//! Every test, in one binary: linking is most of what a test build costs.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::fn_params_excessive_bools,
    reason = "a test may fail loudly, and a truth table is made of yes and no"
)]

mod anew;
mod architecture;
mod asking;
mod backtest;
mod backup;
mod browser;
mod brute_force;
mod candidate;
mod changes;
mod chart;
mod check;
mod checklists;
mod clocks;
mod command_line;
mod console;
mod contract;
mod dates;
mod demo;
mod deploy;
mod diagram;
mod differential;
mod dismissal;
mod documents;
mod durable;
mod each;
mod embeddings;
mod end_to_end;
mod facts;
mod faults;
mod feedback;
mod fence;
mod fetch;
mod follow_ups;
mod forget;
mod fuzz;
mod help;
mod helpdesk;
mod hostile;
mod interop;
mod keeping;
mod logs;
mod loops;
mod metrics;
mod migrations;
mod note;
mod outage;
mod picture;
mod policy_cases;
mod postgres_tls;
mod preview;
mod reading;
mod readme;
mod receive;
mod records;
mod refusals;
mod reload;
mod report;
mod schema;
mod secrets;
mod server;
mod setup;
mod siege;
mod sources;
mod store;
mod supply_chain;
mod support;
mod terminal;
mod torture;
mod waits;
mod words;
mod work;
