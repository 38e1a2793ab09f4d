//! Postgres.

use std::sync::Arc;

use decant_core::Destination;
use decant_core::error::{Error, ErrorKind, Result};

use crate::DatabaseOptions;

/// Opens a Postgres database.
pub async fn open(_url: &str, _options: &DatabaseOptions) -> Result<Arc<dyn Destination>> {
    Err(Error::new(ErrorKind::Unsupported, "Postgres is not built in"))
}
