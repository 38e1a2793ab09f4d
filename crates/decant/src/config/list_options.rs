//! The options of `decant list`: a selection without a stream.

use decant_core::error::Result;
use decant_core::selection::Selection;

use super::access::{SourceSettings, source_settings};
use super::location::Location;
use super::meaning::{About, DestinationSettings, Meant, Overrides, destination_settings};
use super::stream_rules::{Path, narrowed};
use super::typed::{Destination, Source, StreamOptions};

/// What was typed after `decant list`.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// The location.
    pub source: String,
    /// `exclude`, `extension` and `min_age`; the other keys say nothing here.
    pub stream: StreamOptions,
    /// What every verb takes.
    pub overrides: Overrides,
}

/// What a listing lists.
#[derive(Clone, Debug)]
pub struct ListSettings {
    /// Where the files are.
    pub source: SourceSettings,
    /// Which of them are meant.
    pub selection: Selection,
    /// Where a table of them goes, should one be asked for.
    pub destination: DestinationSettings,
}

impl ListOptions {
    /// What the options mean.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`.
    pub fn settings(&self) -> Result<ListSettings> {
        self.meaning().map_err(|objection| objection.error)
    }

    fn meaning(&self) -> Meant<ListSettings> {
        let location = Location::parse(&self.source).about("source.url")?;
        let selection = location.selection().about("source.url")?;
        let folders = std::slice::from_ref(&location);
        Ok(ListSettings {
            selection: narrowed(selection, &self.stream, folders, &Path("list"))?,
            destination: destination_settings(
                &Destination::default(),
                &self.overrides.destination,
            )?,
            source: source_settings(&Source::default(), location.root, &self.overrides)?,
        })
    }
}
