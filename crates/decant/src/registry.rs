//! What can be plugged in, and where: one line a plug-in, in the room that
//! has it.
//!
//! Formats stand in [`decant_formats::formats`], destinations in
//! [`decant_databases::destinations`]; this module only asks them.

use std::sync::Arc;

use decant_core::stream::FormatOptions;
use decant_core::{Archive, Destination, Format, Result};
use decant_databases::DatabaseOptions;

/// The format for a file of this name.
pub fn format_for(name: &str, options: &FormatOptions) -> Result<Arc<dyn Format>> {
    decant_formats::for_file(name, options).map(Arc::from)
}

/// The archive that a file of this name promises to be.
pub fn archive_for(name: &str, options: &FormatOptions) -> Result<Option<Arc<dyn Archive>>> {
    Ok(decant_formats::archive_for(name, options)?.map(Arc::from))
}

/// The destination at `url`.
pub async fn open_destination(
    url: &str,
    options: &DatabaseOptions,
) -> Result<Arc<dyn Destination>> {
    decant_databases::open(url, options).await
}

/// The schemes of destinations' URLs.
pub fn destination_schemes() -> Vec<&'static str> {
    let entries = decant_databases::destinations().iter();
    entries.flat_map(|entry| entry.schemes.iter().copied()).collect()
}

/// The names of the formats, without `auto`.
pub fn format_names() -> Vec<&'static str> {
    decant_formats::formats().iter().map(|format| format.name).collect()
}
