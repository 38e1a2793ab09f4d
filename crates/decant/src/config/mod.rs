//! Configuration: from what was typed to what it means.
//!
//! Two layers. [`typed`] holds the keys of `decant.yaml` and the options of
//! `decant load` as they were typed; [`Settings`] is what they mean, with
//! every default and every conflict decided. [`Document`] leads from a file
//! to both: it applies a profile, hands defaults down to the streams and puts
//! environment variables into values, always knowing the line and column that
//! an error must name.
//!
//! Nothing here opens a source or a destination. Values that came from
//! variables, and secrets, are never part of an error or of anything shown.

mod access;
mod choices;
mod column_keys;
mod column_rules;
mod deserialize;
mod discover_options;
mod document;
mod env_file;
mod file_format;
mod format_keys;
mod list_options;
mod load_options;
mod location;
mod meaning;
mod node;
mod show;
mod stream_keys;
mod stream_rules;
mod type_names;
pub mod typed;
mod units;
mod variables;
mod yaml;

#[cfg(test)]
mod tests;

pub use access::{CredentialSettings, SourceSettings};
pub use discover_options::{DiscoverOptions, DiscoverSettings};
pub use document::Document;
pub use list_options::{ListOptions, ListSettings};
pub use load_options::{LOAD_STREAM, LoadOptions};
pub use location::Root;
pub use meaning::{
    DEFAULT_CONNECTIONS, DEFAULT_DESTINATION, DEFAULT_LEDGER, DEFAULT_MEMORY_BYTES,
    DestinationSettings, Overrides, ReloadOptions, Settings, Vocabulary,
};
pub use show::{check, example, schema};
pub(crate) use stream_keys::{column_keys, policy_keys, quoted, word_of_mark};
pub use stream_rules::DEFAULT_MAX_ATTEMPTS;
pub use variables::Environment;
