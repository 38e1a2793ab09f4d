//! Arrays of every type into columns of every type, by value.
