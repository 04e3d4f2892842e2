//! What a policy would do, tried on cases and on past tickets before it is let loose on new ones (pure).

pub mod cases;
