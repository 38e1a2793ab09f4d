//! The options of `decant load`, on the same way to a meaning as a
//! configuration: a load is one stream that nobody wrote down.

use decant_core::Stream;
use decant_core::error::{Error, Result};
use decant_core::selection::{Selection, folder_of};
use decant_core::table_template::TableTemplate;

use super::location::{Location, Rest};
use super::meaning::{About, Meant, Objection, Overrides, Settings, Vocabulary, assemble};
use super::stream_rules::{Ground, Path, names_of, narrowed, with_rules};
use super::typed::{Configuration, StreamOptions};

/// The name of a load's only stream, in the ledger and in reports.
pub const LOAD_STREAM: &str = "load";

/// What was typed after `decant load`.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// One or more locations, all in one bucket or all local.
    pub sources: Vec<String>,
    /// The keys of a stream; `files` stands in the sources.
    pub stream: StreamOptions,
    /// What every verb takes.
    pub overrides: Overrides,
}

impl LoadOptions {
    /// What the options mean.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` or `Unsupported`.
    pub fn settings(&self, vocabulary: &Vocabulary<'_>) -> Result<Settings> {
        self.meaning(vocabulary).map_err(|objection| objection.error)
    }

    fn meaning(&self, vocabulary: &Vocabulary<'_>) -> Meant<Settings> {
        let locations: Result<Vec<Location>> =
            self.sources.iter().map(|source| Location::parse(source)).collect();
        let locations = locations.about("source.url")?;
        let first = locations.first().cloned().ok_or_else(|| {
            Objection::new("source.url", "there is no source").hint("name a file, folder or glob")
        })?;
        let stream = self.stream_of(&locations, &first, vocabulary)?;
        assemble(&Configuration::default(), &self.overrides, first, vec![stream], vocabulary)
    }

    fn stream_of(
        &self,
        locations: &[Location],
        first: &Location,
        vocabulary: &Vocabulary<'_>,
    ) -> Meant<Stream> {
        let selection = selection_of(locations).about("source.url")?;
        let selection = narrowed(selection, &self.stream, locations, &Path(LOAD_STREAM))?;
        let table = self.table_of(locations)?;
        let ground = Ground { folder: first, reload: self.overrides.reload, vocabulary };
        with_rules(LOAD_STREAM, &self.stream, selection, table, &ground)
    }

    fn table_of(&self, locations: &[Location]) -> Meant<TableTemplate> {
        let setting = Path(LOAD_STREAM).to("table");
        let names = names_of(&self.stream).meaning();
        let templates = locations.iter().map(|location| match &self.stream.table {
            Some(table) => TableTemplate::new(table, &location.folder, names),
            None => {
                let (text, base) = default_table(location);
                TableTemplate::new(text, base, names)
            }
        });
        let templates: Result<Vec<TableTemplate>> = templates.collect();
        let templates = templates.about(setting.clone())?;
        let first = templates
            .first()
            .cloned()
            .ok_or_else(|| Objection::new(setting.clone(), "there is no source"))?;
        let agree = first.fixed().is_some() || templates.iter().all(|other| *other == first);
        if agree && self.are_in_one_folder(locations, &first) {
            Ok(first)
        } else {
            Err(Objection::new(setting, "the sources are in different folders")
                .hint("say which table they go to with --table"))
        }
    }

    /// Whether `{folder}` would be one and the same for all of the sources.
    fn are_in_one_folder(&self, locations: &[Location], template: &TableTemplate) -> bool {
        let is_typed = self.stream.table.is_some() || template.fixed().is_some();
        is_typed || locations.windows(2).all(|pair| pair[0].folder == pair[1].folder)
    }
}

/// The last literal folder, else the file's stem.
fn default_table(location: &Location) -> (&'static str, &str) {
    let folder = location.folder.trim_end_matches('/');
    match &location.rest {
        // Without an ending it is rather a folder than a file; should it be a
        // file, `{folder}` falls back to its stem.
        Rest::Name(name) if !name.contains('.') => ("{folder}", &location.folder),
        _ if location.is_named => ("{folder}", folder_of(folder)),
        _ => ("{stem}", ""),
    }
}

fn selection_of(locations: &[Location]) -> Result<Selection> {
    let roots_agree = locations.windows(2).all(|pair| pair[0].root == pair[1].root);
    if !roots_agree {
        return Err(Error::new(
            decant_core::ErrorKind::Unsupported,
            "the sources of one load must be in one bucket, or all local",
        )
        .with_hint("run one load for each bucket"));
    }
    let mut selections = locations.iter().map(Location::selection);
    let first = selections.next().unwrap_or_else(|| Selection::path(""))?;
    selections.try_fold(first, |all, selection| Ok(all.or(selection?)))
}
