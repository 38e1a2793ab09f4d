//! Destinations that are databases: SQLite and Postgres
