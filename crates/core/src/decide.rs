//! Whether a listed file is loaded, by what the ledger knows of it.
