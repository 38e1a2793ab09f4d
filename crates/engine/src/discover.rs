//! What a source holds: the tables that its files would go to, how the files
//! are written, and what their columns look like.
//!
//! It reads samples of up to ten files a table, as a new table does, and
//! changes nothing. A file that is not like its table's others says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use decant_core::conform::{FitRules, new_table_columns};
use decant_core::destination::TableState;
use decant_core::format::Sample;
use decant_core::stream::{FormatOptions, NewColumns};
use decant_core::{Column, FileVersion, Result, Stream, TableName, TableSchema};
use serde::Serialize;

use crate::arrivals::{Arrivals, Verdict};
use crate::pipeline::Run;
use crate::report::ReportedError;
use crate::sampling::{Candidates, look_again, look_at_each};
use crate::tables::TablePlan;

/// The files that would go to one table, and the table.
#[derive(Clone, Debug, Serialize)]
pub struct Discovered {
    /// The stream that selects them.
    pub stream: String,
    /// The table's name.
    pub table: String,
    /// Files selected for it.
    pub files: u64,
    /// Bytes of these, as stored.
    pub bytes: u64,
    /// What is left of their keys below the folder up to the first `/`, as
    /// long as they are few: the parts that a selection of them needs.
    pub parts: Vec<String>,
    /// How the files are written, where those looked at agree and no other
    /// one is called otherwise.
    pub format: Option<FormatOptions>,
    /// The table's columns.
    pub columns: Vec<DiscoveredColumn>,
    /// Why there are no columns.
    pub error: Option<ReportedError>,
    /// The files that were looked at.
    pub looked_at: Vec<DiscoveredFile>,
}

/// One file that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct DiscoveredFile {
    /// Where it is.
    pub file: String,
    /// Bytes, as stored.
    pub size: u64,
    /// Rows looked at.
    pub rows: u64,
    /// Whether these are all of its rows.
    pub complete: bool,
    /// How it is written.
    pub format: Option<FormatOptions>,
    /// Its columns, by their names in the file.
    pub columns: Vec<DiscoveredColumn>,
    /// Why it is read as it is.
    pub explanation: Vec<String>,
    /// In what it is unlike the others of its table.
    pub differs: Vec<String>,
    /// Why it could not be looked at.
    pub error: Option<ReportedError>,
}

/// A column and what its values look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiscoveredColumn {
    /// Its name.
    pub name: String,
    /// The type that keeps the values looked at.
    #[serde(rename = "type")]
    pub column_type: String,
    /// Whether a NULL was among them, or a file lacks the column.
    pub nullable: bool,
    /// The first few values.
    pub examples: Vec<String>,
}

/// Parts of keys that are kept for a table at most.
const PARTS_MAX: usize = 100;
/// Endings of names that are kept for a table at most.
const ENDINGS_MAX: usize = 100;
/// Letters of an ending at most.
const ENDING_LETTERS_MAX: usize = 8;
/// Examples that are shown of a column at most.
const EXAMPLES_MAX: usize = 5;

/// What a listing brings for one table.
#[derive(Default)]
struct Found {
    candidates: Candidates,
    files: u64,
    bytes: u64,
    parts: Vec<String>,
    endings: BTreeSet<String>,
}

/// A file, and what a look at it brought.
type Look = (FileVersion, Result<Sample>);

impl Run {
    /// Looks at what the files of `stream` hold, table by table in the order
    /// of their names. `folder` is what keys are told below of.
    pub async fn discover(&self, stream: &Stream, folder: &str) -> Result<Vec<Discovered>> {
        let stream = Arc::new(stream.clone());
        let mut discovered = Vec::new();
        for (name, found) in self.find(&stream, folder).await? {
            let chosen = found.candidates.chosen();
            let are_alike = found.are_called_like(&chosen);
            let looks = self.look_at_all(&stream, chosen).await;
            let described = self.describe_found(&stream, &name, found, looks);
            let format = described.format.filter(|_| are_alike);
            discovered.push(Discovered { format, ..described });
        }
        Ok(discovered)
    }

    async fn find(&self, stream: &Arc<Stream>, folder: &str) -> Result<BTreeMap<TableName, Found>> {
        let mut arrivals = Arrivals::new(&self.services, stream, self.started_at);
        let mut tables: BTreeMap<TableName, Found> = BTreeMap::new();
        while let Some(page) = arrivals.next().await? {
            for judged in page {
                let file = &judged.arrival.file;
                match judged.verdict {
                    Verdict::Goes(name) => tables.entry(name).or_default().add(file, folder),
                    Verdict::Excluded(_) => {}
                    Verdict::Refused(error) => return Err(error.in_file(file.location())),
                }
            }
        }
        Ok(tables)
    }

    async fn look_at_all(&self, stream: &Arc<Stream>, files: Vec<FileVersion>) -> Vec<Look> {
        let counter = self.sample_counter();
        let first = files.first().cloned();
        // The archives stay open as long as their members are looked at.
        let (files, _archives) = match self.with_members(stream, files).await {
            Ok(found) => found,
            Err(error) => return first.map(|file| (file, Err(error))).into_iter().collect(),
        };
        let (services, settings, format) = (&self.services, &self.settings, &stream.format);
        let mut looks = look_at_each(&files, services, settings, format, &counter).await;
        look_again(&files, &mut looks, services, settings, format, &counter).await;
        files.into_iter().zip(looks).collect()
    }

    fn describe_found(
        &self,
        stream: &Stream,
        name: &TableName,
        found: Found,
        looks: Vec<Look>,
    ) -> Discovered {
        let samples: Vec<&Sample> =
            looks.iter().filter_map(|(_, look)| look.as_ref().ok()).collect();
        let (columns, error) = match self.joined_columns(stream, &samples) {
            Ok(columns) => (columns, None),
            Err(error) => (Vec::new(), Some((&error).into())),
        };
        let first_error = looks.iter().find_map(|(_, look)| look.as_ref().err());
        let error = if samples.is_empty() { first_error.map(Into::into).or(error) } else { error };
        let usual = usual_format(&samples);
        Discovered {
            stream: stream.name.clone(),
            table: name.to_string(),
            files: found.files,
            bytes: found.bytes,
            parts: found.parts,
            format: usual
                .clone()
                .filter(|usual| samples.iter().all(|sample| sample.columns.options == *usual)),
            looked_at: looks
                .iter()
                .map(|(file, look)| {
                    self.describe_file(stream, file, look, usual.as_ref(), &columns)
                })
                .collect(),
            columns,
            error,
        }
    }

    /// The columns of the table that these samples would make.
    fn joined_columns(
        &self,
        stream: &Stream,
        samples: &[&Sample],
    ) -> Result<Vec<DiscoveredColumn>> {
        if samples.iter().all(|sample| sample.columns.names.is_empty()) {
            return Ok(Vec::new());
        }
        let capabilities = self.services.destination.capabilities();
        let owned: Vec<Sample> = samples.iter().map(|sample| (*sample).clone()).collect();
        let schema = new_table_columns(&owned, &FitRules::new(stream, true), capabilities, false)?;
        let places: Vec<Vec<Option<usize>>> =
            samples.iter().map(|sample| self.places(stream, sample, &schema)).collect();
        Ok(schema
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let of_samples = samples.iter().zip(&places).map(|(sample, places)| {
                    places
                        .iter()
                        .position(|place| *place == Some(position))
                        .map(|source| (*sample, source))
                });
                joined_column(column, of_samples)
            })
            .collect())
    }

    /// Where each column of a sample's file goes in the table.
    fn places(&self, stream: &Stream, sample: &Sample, schema: &[Column]) -> Vec<Option<usize>> {
        let state = TableState {
            name: TableName { schema: None, name: String::new() },
            schema: Some(TableSchema { columns: schema.to_vec() }),
            created_by_decant: true,
        };
        let stream = Stream { new_columns: Some(NewColumns::Ignore), ..stream.clone() };
        let plan = TablePlan::new(state, &stream, self.services.destination.capabilities());
        let Ok(conform) = plan.conform(&sample.columns, None) else { return Vec::new() };
        let mut places = vec![None; conform.targets.len()];
        for (source, position) in conform.loaded_columns() {
            places[source] = Some(position);
        }
        places
    }

    fn describe_file(
        &self,
        stream: &Stream,
        file: &FileVersion,
        look: &Result<Sample>,
        usual: Option<&FormatOptions>,
        joined: &[DiscoveredColumn],
    ) -> DiscoveredFile {
        let mut described = DiscoveredFile {
            file: file.location(),
            size: file.size,
            rows: 0,
            complete: false,
            format: None,
            columns: Vec::new(),
            explanation: Vec::new(),
            differs: Vec::new(),
            error: look.as_ref().err().map(Into::into),
        };
        let Ok(sample) = look else { return described };
        described.rows = sample.rows;
        described.complete = sample.complete;
        described.format = Some(sample.columns.options.clone());
        described.columns = self.own_columns(stream, sample);
        described.explanation.clone_from(&sample.explanation);
        if let Some(usual) = usual {
            described.differs = differences(&sample.columns.options, usual);
        }
        if let Ok(own) = self.joined_columns(stream, &[sample]) {
            described.differs.extend(column_differences(&own, joined));
        }
        described
    }

    fn own_columns(&self, stream: &Stream, sample: &Sample) -> Vec<DiscoveredColumn> {
        let decimal = self.services.destination.capabilities().decimal;
        let names = sample.columns.names.iter().zip(&sample.evidence).enumerate();
        names
            .map(|(position, (name, evidence))| DiscoveredColumn {
                name: name.clone(),
                column_type: evidence.column_type(decimal, stream.columns.decimals).to_string(),
                nullable: sample.nulls.get(position).copied().unwrap_or(true),
                examples: sample.examples.get(position).cloned().unwrap_or_default(),
            })
            .collect()
    }
}

impl Found {
    fn add(&mut self, file: &FileVersion, folder: &str) {
        self.candidates.offer(file);
        self.files += 1;
        self.bytes += file.size;
        let below = file.key.strip_prefix(folder).unwrap_or(&file.key);
        let part = match below.split_once('/') {
            Some((part, _)) => format!("{part}/"),
            None => below.to_owned(),
        };
        if self.parts.len() < PARTS_MAX && !self.parts.contains(&part) {
            self.parts.push(part);
        }
        if self.endings.len() < ENDINGS_MAX {
            self.endings.insert(endings_of(&file.key));
        }
    }

    /// Whether every file's name ends as one of these does.
    fn are_called_like(&self, files: &[FileVersion]) -> bool {
        let known: BTreeSet<String> = files.iter().map(|file| endings_of(&file.key)).collect();
        self.endings.len() < ENDINGS_MAX && self.endings.is_subset(&known)
    }
}

/// What a name says of its content, compression included: `gz.csv`.
fn endings_of(key: &str) -> String {
    let name = key.rsplit('/').next().unwrap_or(key);
    let count = name.matches('.').count();
    let is_ending = |part: &&str| {
        part.len() <= ENDING_LETTERS_MAX && part.starts_with(|letter: char| letter.is_alphabetic())
    };
    let endings: Vec<&str> = name.rsplit('.').take(count.min(2)).take_while(is_ending).collect();
    endings.join(".").to_lowercase()
}

fn joined_column<'a>(
    column: &Column,
    sources: impl Iterator<Item = Option<(&'a Sample, usize)>>,
) -> DiscoveredColumn {
    let mut nullable = false;
    let mut examples: Vec<String> = Vec::new();
    for source in sources {
        let Some((sample, position)) = source else {
            nullable = true;
            continue;
        };
        nullable |= sample.nulls.get(position).copied().unwrap_or(true);
        for example in sample.examples.get(position).into_iter().flatten() {
            if examples.len() < EXAMPLES_MAX && !examples.contains(example) {
                examples.push(example.clone());
            }
        }
    }
    DiscoveredColumn {
        name: column.name.clone(),
        column_type: column.column_type.map_or_else(String::new, |known| known.to_string()),
        nullable,
        examples,
    }
}

/// The options that most of the files have; of equals, the first.
fn usual_format(samples: &[&Sample]) -> Option<FormatOptions> {
    let count = |options: &FormatOptions| {
        samples.iter().filter(|sample| sample.columns.options == *options).count()
    };
    let mut usual: Option<(usize, &FormatOptions)> = None;
    for sample in samples {
        let options = &sample.columns.options;
        let times = count(options);
        if usual.is_none_or(|(most, _)| times > most) {
            usual = Some((times, options));
        }
    }
    usual.map(|(_, options)| options.clone())
}

/// In which options a file differs from what is usual, by the keys of its
/// plain data.
fn differences(own: &FormatOptions, usual: &FormatOptions) -> Vec<String> {
    let plain = |options: &FormatOptions| match serde_json::to_value(options) {
        Ok(serde_json::Value::Object(keys)) => keys,
        _ => serde_json::Map::new(),
    };
    let (own, usual) = (plain(own), plain(usual));
    own.iter()
        .filter(|(key, value)| usual.get(*key) != Some(*value))
        .map(|(key, value)| {
            let other = usual.get(key).unwrap_or(&serde_json::Value::Null);
            format!("{key} is {value}, and {other} in the others")
        })
        .collect()
}

/// In which columns a file differs from the table of all files.
fn column_differences(own: &[DiscoveredColumn], joined: &[DiscoveredColumn]) -> Vec<String> {
    let find = |columns: &[DiscoveredColumn], name: &str| {
        columns.iter().find(|column| column.name == name).map(|column| column.column_type.clone())
    };
    joined
        .iter()
        .filter_map(|column| match find(own, &column.name) {
            None => Some(format!("column `{}` is not there", column.name)),
            // A column without values is text for want of anything better.
            Some(own) if own != column.column_type && own != "text" => Some(format!(
                "column `{}` is {own} here, and {} for all",
                column.name, column.column_type
            )),
            Some(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_the_words_behind_the_last_dots() {
        for (key, endings) in [
            ("a/b.csv", "csv"),
            ("a/B.CSV.gz", "gz.csv"),
            ("a.b/part-0000", ""),
            ("orders.2024-01-31", ""),
            ("orders.2024.csv", "csv"),
        ] {
            assert_eq!(endings_of(key), endings, "{key}");
        }
    }
}
