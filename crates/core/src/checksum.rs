//! An order-free checksum of rows.
