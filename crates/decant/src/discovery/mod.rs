//! Looking at what a source holds, and writing a configuration that loads it.

mod nowhere;
mod yaml;

use std::sync::Arc;

use decant_core::Result;
pub use decant_engine::{Discovered, DiscoveredColumn, DiscoveredFile};

use self::nowhere::Nowhere;
pub use self::yaml::configuration;
use crate::config::Settings;
use crate::pipeline::{Pipeline, open_destination_of};

/// Looks at samples of what the streams of `settings` select. With
/// `for_destination` the types are those of its destination, which is opened
/// but not changed; without, those of one that has exact decimals.
pub async fn discover(
    settings: Settings,
    folder: Option<&str>,
    for_destination: bool,
) -> Result<Vec<Discovered>> {
    let destination = if for_destination {
        open_destination_of(&settings.destination).await?
    } else {
        Arc::new(Nowhere::new())
    };
    Pipeline::without_destination(settings, destination).await?.discover(folder).await
}
