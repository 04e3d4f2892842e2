//! The loop: a due ticket is read, decided, brought to where it should be, and due again.

pub mod judge;
