//! SQLite.

use std::sync::Arc;

use decant_core::Destination;
use decant_core::error::{Error, ErrorKind, Result};

use crate::DatabaseOptions;

/// Opens a SQLite database.
pub async fn open(_url: &str, _options: &DatabaseOptions) -> Result<Arc<dyn Destination>> {
    Err(Error::new(ErrorKind::Unsupported, "SQLite is not built in"))
}
