//! A configuration file on its way to [`Settings`]: profile, defaults and
//! variables are applied here, on the tree, so that every value keeps the
//! place where it was typed and everything that is shown is what was typed.

use std::path::Path;

use decant_core::error::{Error, ErrorKind, Result};

use super::deserialize::{Failure, only_keys, read, suggestion};
use super::meaning::{
    DestinationSettings, Objection, Overrides, Settings, Vocabulary, destination_settings, settle,
};
use super::node::{Key, Node, Value, merge};
use super::typed::{self, Configuration, Destination, Limits, Source, StreamOptions};
use super::variables::{Environment, fill};
use super::yaml::{self, at, error_at};

const SECTIONS: [&str; 4] = ["source", "destination", "defaults", "streams"];

/// A configuration file that has been read, with one profile applied.
pub struct Document {
    file: String,
    profile: Option<String>,
    /// As typed: variables are still names.
    pub(super) tree: Node,
    /// With the variables put in; never shown.
    filled: Node,
    configuration: Configuration,
}

impl Document {
    /// Reads the file at `path` with the profile of this name.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`, with file, line and column where there are any.
    pub fn open(path: &Path, profile: Option<&str>, environment: &Environment) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::new(ErrorKind::InvalidConfig, "the configuration cannot be read")
                .in_file(file.clone())
                .caused_by(error)
                .with_hint(
                    "name another file with --config, or write one: \
                     decant config example > decant.yaml",
                )
        })?;
        Self::parse(&file, &text, profile, environment)
    }

    /// Reads the text of a configuration; `file` is named in errors.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn parse(
        file: &str,
        text: &str,
        profile: Option<&str>,
        environment: &Environment,
    ) -> Result<Self> {
        let located = |failure: Failure| failure.into_error(file);
        let mut root = yaml::parse(text, file)?;
        drop_extensions(&mut root);
        only_keys(&root, &typed::Document::KEYS).map_err(located)?;
        let profiles = root.take("profiles");
        if let Some(profiles) = &profiles {
            check_profiles(profiles).map_err(located)?;
            refuse_stray_streams(profiles, &root, file)?;
        }
        let overlay = choose(profiles, profile, &root, file)?;
        let tree = effective(spelled_out(root), overlay.map(spelled_out)).map_err(located)?;
        let mut filled = tree.clone();
        fill(&mut filled, environment, file)?;
        let configuration = configuration_of(&filled).map_err(located)?;
        let profile = profile.map(str::to_owned);
        Ok(Self { file: file.to_owned(), profile, tree, filled, configuration })
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The profile that was applied.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// What was typed.
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// What it means, for a run with these overrides.
    ///
    /// # Errors
    ///
    /// `InvalidConfig` or `Unsupported`, with the place of the key at fault.
    pub fn settings(&self, overrides: &Overrides, vocabulary: &Vocabulary<'_>) -> Result<Settings> {
        settle(&self.configuration, overrides, vocabulary)
            .map_err(|objection| self.located(objection))
    }

    /// The destination alone, for verbs that need nothing else.
    ///
    /// # Errors
    ///
    /// `InvalidConfig`, with the place of the key at fault.
    pub fn destination(&self, overrides: &Overrides) -> Result<DestinationSettings> {
        destination_settings(&self.configuration.destination, &overrides.destination)
            .map_err(|objection| self.located(objection))
    }

    fn located(&self, objection: Objection) -> Error {
        let Objection { setting, error } = objection;
        if setting.is_empty() {
            return error.in_file(self.file.clone());
        }
        let node = self.filled.nearest(&setting);
        at(without_values(error, node), &self.file, node.place)
    }
}

/// The error with what variables stand for replaced by their names.
fn without_values(error: Error, node: &Node) -> Error {
    let Value::Scalar(scalar) = &node.value else { return error };
    if scalar.shown.is_none() {
        return error;
    }
    let safe = Error::new(error.kind(), scalar.without_value(error.message()));
    match error.hint() {
        Some(hint) => safe.with_hint(scalar.without_value(hint)),
        None => safe,
    }
}

/// Keys that begin with `x-` hold anchors and mean nothing.
fn drop_extensions(root: &mut Node) {
    if let Value::Map(entries) = &mut root.value {
        entries.retain(|(key, _)| !key.name.starts_with("x-"));
    }
}

/// Short spellings in full, so that a profile's part meets the file's.
fn spelled_out(root: Node) -> Node {
    let Value::Map(entries) = root.value else { return root };
    let entries = entries.into_iter().map(|(key, node)| match key.name.as_str() {
        "destination" if !node.is_null() => (key, node.spelled_out("url")),
        _ => (key, node),
    });
    Node { place: root.place, value: Value::Map(entries.collect()) }
}

fn choose(
    profiles: Option<Node>,
    profile: Option<&str>,
    root: &Node,
    file: &str,
) -> Result<Option<Node>> {
    let Some(name) = profile else { return Ok(None) };
    let mut profiles = profiles.unwrap_or_else(|| Node::empty(root.place));
    let place = profiles.place;
    if let Some(chosen) = profiles.take(name) {
        return Ok(Some(chosen));
    }
    let known: Vec<&str> = profiles.entries().iter().map(|(key, _)| key.name.as_str()).collect();
    let error = error_at(file, place, format!("there is no profile `{name}`"));
    Err(if known.is_empty() {
        error.with_hint("`profiles` has none")
    } else {
        error.with_hint(suggestion(name, &known))
    })
}

/// Checks every profile's keys, also of those that are not chosen. Values
/// that variables take part in are not known yet and pass.
fn check_profiles(profiles: &Node) -> Result<(), Failure> {
    if !profiles.is_null() && !matches!(profiles.value, Value::Map(_)) {
        return only_keys(profiles, &[]);
    }
    for (_, profile) in profiles.entries().iter().filter(|(_, profile)| !profile.is_null()) {
        only_keys(profile, &SECTIONS)?;
        let tree = effective(spelled_out(profile.clone()), None)?;
        match configuration_of(&tree) {
            Err(failure) if !failure.is_of_variable() => return Err(failure),
            _ => {}
        }
    }
    Ok(())
}

/// A stream that a profile alone names, without a word on its files, would
/// take every file there is: its name is more likely to be misspelt.
fn refuse_stray_streams(profiles: &Node, root: &Node, file: &str) -> Result<()> {
    let names = |node: &Node| -> Vec<Key> {
        let streams = node.get("streams").map(Node::entries).unwrap_or_default();
        streams.iter().map(|(key, _)| key.clone()).collect()
    };
    let own = names(root);
    let known: Vec<&str> = own.iter().map(|key| key.name.as_str()).collect();
    if known.is_empty() {
        return Ok(());
    }
    for (profile, node) in profiles.entries() {
        for (key, stream) in node.get("streams").map(Node::entries).unwrap_or_default() {
            let says_which = stream.get("files").or_else(|| stream.get("pattern")).is_some();
            if says_which || known.contains(&key.name.as_str()) {
                continue;
            }
            let message = format!(
                "there is no stream `{}` for profile `{}` to change",
                key.name, profile.name
            );
            let hint = suggestion(&key.name, &known);
            return Err(error_at(file, key.place, message).with_hint(format!(
                "{hint}; a stream of the profile's own says `files` or `pattern`"
            )));
        }
    }
    Ok(())
}

/// The four sections as they hold: the profile over the file, and in every
/// stream what `defaults` says for streams. `defaults` keeps the rest.
fn effective(root: Node, overlay: Option<Node>) -> Result<Node, Failure> {
    let place = root.place;
    let mut tree = match overlay.filter(|overlay| !overlay.is_null()) {
        Some(overlay) => overlaid(root, overlay),
        None => root,
    };
    let mut section = |name: &str| {
        tree.take(name).filter(|node| !node.is_null()).unwrap_or_else(|| Node::empty(place))
    };
    let [source, destination, defaults, streams] = SECTIONS.map(&mut section);
    let (limits, stream_defaults) = split_defaults(defaults)?;
    let streams = inherited(streams, &stream_defaults)?;
    let sections = [source, destination, limits, streams];
    let entries = SECTIONS
        .iter()
        .zip(sections)
        .map(|(name, node)| (Key { name: (*name).to_owned(), place: node.place }, node));
    Ok(Node { place, value: Value::Map(entries.collect()) })
}

fn overlaid(root: Node, overlay: Node) -> Node {
    let mut root = root;
    let mut overlay = overlay;
    let streams = match (root.take("streams"), overlay.take("streams")) {
        (Some(below), Some(above)) => Some(overlaid_streams(below, above)),
        (below, above) => above.or(below),
    };
    let place = root.place;
    let mut merged = merge(root, overlay);
    if let (Value::Map(entries), Some(streams)) = (&mut merged.value, streams) {
        entries.push((Key { name: "streams".into(), place }, streams));
    }
    merged
}

fn overlaid_streams(below: Node, above: Node) -> Node {
    let mut streams = below;
    for (key, node) in above.entries() {
        let base = streams.take(&key.name).unwrap_or_else(|| Node::empty(node.place));
        if let Value::Map(entries) = &mut streams.value {
            entries.push((key.clone(), displaced(base, node)));
        }
    }
    streams
}

/// Parts `defaults` into what a run may use and what streams inherit.
fn split_defaults(defaults: Node) -> Result<(Node, Node), Failure> {
    let place = defaults.place;
    let Value::Map(entries) = defaults.value else {
        only_keys(&defaults, &[])?;
        return Ok((Node::empty(place), Node::empty(place)));
    };
    let (limits, streams): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| Limits::KEYS.contains(&key.name.as_str()));
    let node = |entries| Node { place, value: Value::Map(entries) };
    Ok((node(limits), node(streams)))
}

fn inherited(streams: Node, defaults: &Node) -> Result<Node, Failure> {
    let place = streams.place;
    let Value::Map(entries) = streams.value else {
        only_keys(&streams, &[])?;
        return Ok(Node::empty(place));
    };
    // Also with no stream at all, the defaults must be what streams take.
    if let Err(failure) = read::<StreamOptions>(defaults) {
        let failure = failure.also_known(&Limits::KEYS);
        if !failure.is_of_variable() {
            return Err(failure);
        }
    }
    let entries =
        entries.into_iter().map(|(key, node)| (key, displaced(defaults.clone(), &node))).collect();
    Ok(Node { place, value: Value::Map(entries) })
}

/// A stream's own keys over inherited ones. What a stream says of its own
/// takes away what it inherited to the contrary.
fn displaced(inherited: Node, own: &Node) -> Node {
    if own.is_null() {
        return Node { place: own.place, ..inherited };
    }
    let mut base = inherited;
    for key in contradicted_by(own) {
        base.take(key);
    }
    merge(base, own.clone())
}

fn contradicted_by(own: &Node) -> Vec<&'static str> {
    let says = |key: &str| own.get(key).is_some();
    let mut keys = Vec::new();
    if says("files") {
        keys.push("pattern");
    }
    if says("pattern") {
        keys.push("files");
    }
    if says("on_error") && own.text_of("on_error") != Some("reject") {
        keys.push("max_rejects");
    }
    if own.text_of("if_exists") == Some("replace") {
        keys.push("on_change");
    }
    keys
}

fn configuration_of(tree: &Node) -> Result<Configuration, Failure> {
    let section = |name: &str| tree.get(name).filter(|node| !node.is_null());
    let mut configuration = Configuration::default();
    if let Some(node) = section("source") {
        configuration.source = read::<Source>(node)?;
    }
    if let Some(node) = section("destination") {
        configuration.destination = read::<Destination>(node)?;
    }
    if let Some(node) = section("defaults") {
        configuration.limits = read::<Limits>(node)?;
    }
    for (key, node) in section("streams").map(Node::entries).unwrap_or_default() {
        configuration.streams.push((key.name.clone(), read::<StreamOptions>(node)?));
    }
    Ok(configuration)
}
