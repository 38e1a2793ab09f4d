//! The decant command.

fn main() {}
