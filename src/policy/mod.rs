//! The rule: the handbook's diagram, what its nodes mean, and the walk over it.

pub mod diagram;
pub mod fault;
