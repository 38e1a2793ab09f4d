//! A run against a destination that fails on demand, with files and a format
//! that the test makes up.

mod faults;
mod groups;
mod world;
