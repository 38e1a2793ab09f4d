//! To make batches fit the table: matching a file's columns by name.
