//! What the SQL databases share: how each spells things, and the statements
//! that are the same on all of them.
//!
//! Nothing here talks to a database. Statements are text with numbered
//! placeholders; each says in its documentation what its parameters are.

pub(crate) mod dialect;
pub(crate) mod ledger;
pub(crate) mod table;
