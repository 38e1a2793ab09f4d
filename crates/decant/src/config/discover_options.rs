//! The options of `decant discover`: what a sync of a folder, or a load of
//! anything else, would select, and how to write that down again.

use decant_core::error::Result;
use decant_core::selection::escape_glob;

use super::load_options::LoadOptions;
use super::location::{Location, Rest, Root};
use super::meaning::{About, Meant, Overrides, Settings, Vocabulary, settle};
use super::typed::{Configuration, Source, StreamOptions};

/// The name of the stream where nobody wrote one down.
const FOLDER_STREAM: &str = "discovered";
/// The variable for the key of hashes where none was named.
const KEY_VARIABLE: &str = "HASH_KEY";

/// What was typed after `decant discover`.
#[derive(Clone, Debug, Default)]
pub struct DiscoverOptions {
    /// The location.
    pub source: String,
    /// The keys of a stream.
    pub stream: StreamOptions,
    /// The variable that holds the key of hashes, where there is one.
    pub key_variable: Option<String>,
    /// What every verb takes.
    pub overrides: Overrides,
}

/// What is looked at, and where it is.
#[derive(Clone, Debug)]
pub struct DiscoverSettings {
    /// What to run.
    pub settings: Settings,
    /// `source.url` of a configuration for it.
    pub url: String,
    /// The folder as a key prefix.
    pub folder: String,
    /// What `files` of the only stream would say; `None` where each table has
    /// files of its own.
    pub files: Option<String>,
    /// What `exclude` would say.
    pub exclude: Vec<String>,
    /// What `extension` would say.
    pub extension: Option<String>,
    /// The keys of a stream as they were typed.
    pub stream: StreamOptions,
    /// The variable that holds the key of hashes.
    pub key_variable: String,
}

impl DiscoverOptions {
    /// What the options mean: the folders of a folder are streams; anything
    /// else is one.
    ///
    /// # Errors
    ///
    /// As [`LoadOptions::settings`].
    pub fn settings(&self, vocabulary: &Vocabulary<'_>) -> Result<DiscoverSettings> {
        let location = Location::parse(&self.source)?;
        let exclude = self.stream.exclude.clone().unwrap_or_default().0;
        let extension = self.stream.extension.clone();
        let stream = self.stream.clone();
        let key_variable = self.key_variable.clone().unwrap_or_else(|| KEY_VARIABLE.to_owned());
        let is_folder = match &location.rest {
            Rest::All => true,
            Rest::Name(name) => !name.contains('.'),
            Rest::File(_) | Rest::Glob(_) => false,
        };
        if is_folder && self.stream.table.is_none() {
            let folder = location.into_folder()?;
            let settings = self.of_folder(vocabulary).map_err(|objection| objection.error)?;
            return Ok(DiscoverSettings {
                url: url_of(&folder),
                folder: folder.folder,
                files: None,
                settings,
                exclude,
                extension,
                stream,
                key_variable,
            });
        }
        let load = LoadOptions {
            sources: vec![self.source.clone()],
            stream: self.stream.clone(),
            overrides: self.overrides.clone(),
        };
        let files = match &location.rest {
            Rest::All => "**".to_owned(),
            Rest::Glob(glob) => glob.clone(),
            Rest::File(name) => escape_glob(name),
            Rest::Name(name) => name.clone(),
        };
        Ok(DiscoverSettings {
            settings: load.settings(vocabulary)?,
            url: url_of(&location),
            folder: location.folder,
            files: Some(files),
            exclude,
            extension,
            stream,
            key_variable,
        })
    }

    fn of_folder(&self, vocabulary: &Vocabulary<'_>) -> Meant<Settings> {
        Location::parse(&self.source).and_then(Location::into_folder).about("source.url")?;
        let configuration = Configuration {
            source: Source { url: Some(self.source.clone()), ..Source::default() },
            streams: vec![(FOLDER_STREAM.to_owned(), self.stream.clone())],
            ..Configuration::default()
        };
        settle(&configuration, &self.overrides, vocabulary)
    }
}

fn url_of(location: &Location) -> String {
    match &location.root {
        Root::Bucket(bucket) => format!("s3://{bucket}/{}", location.folder),
        Root::Local => location.folder.clone(),
    }
}
