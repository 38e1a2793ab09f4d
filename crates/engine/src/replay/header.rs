//! The header of an edited export: its columns may be put in another order,
//! but not left out, renamed or added to.

use std::sync::Arc;

use decant_core::{Error, ErrorKind, FileVersion, LedgerEntry, Result};

use super::write::one_row;
use super::{Edits, Reading, ReplayDoors};
use crate::ingest::Ingest;
use crate::pipeline::Run;
use crate::sampling::look_at;

const HINT: &str = "keep the header that `decant rejects --export` wrote; its columns may change \
                    places, with their values";

impl Run {
    /// Has the rows read by the columns of the edited header.
    pub(super) async fn follow_header(
        &self,
        ingest: &Ingest,
        reading: &mut Reading,
        entry: &LedgerEntry,
        edits: &Edits,
        doors: &ReplayDoors,
    ) -> Result<()> {
        let (file, options) = (&entry.file, &reading.layout.options);
        let expected = (doors.header)(file.name(), options, &reading.layout.names);
        let (Some(expected), Some(edited)) = (expected, &edits.header) else { return Ok(()) };
        let edited = (doors.edited)(file.name(), options, edited).map_err(|why| refused(&why))?;
        if edited == expected.as_bytes() {
            return Ok(());
        }
        let known = self.names(ingest, reading, file, expected.into_bytes(), doors).await?;
        let found = self.names(ingest, reading, file, edited, doors).await?;
        let places = places(&known, &found).map_err(|why| refused(&why))?;
        if !reading.layout.named && places.iter().enumerate().any(|(at, place)| at != *place) {
            return Err(refused(
                "its columns have changed places, but those of the file have no names",
            ));
        }
        let names = &reading.layout.names;
        reading.layout.names =
            places.into_iter().filter_map(|place| names.get(place).cloned()).collect();
        Ok(())
    }

    /// The names in a header, as the format of the file reads them.
    async fn names(
        &self,
        ingest: &Ingest,
        reading: &Reading,
        file: &FileVersion,
        mut header: Vec<u8>,
        doors: &ReplayDoors,
    ) -> Result<Vec<String>> {
        header.push(b'\n');
        let layout = &reading.layout;
        let (options, _) = (doors.document)(file.name(), &layout.options, &layout.names, b"");
        let format = (self.services.format)(file.name(), &options)?;
        let document =
            FileVersion { size: header.len() as u64, member: String::new(), ..file.clone() };
        let decoder = one_row(&ingest.decoder, Arc::clone(&format), header);
        let files = [document];
        let looked =
            look_at(&files, &decoder.services, &self.settings, &options, &decoder.counter).await;
        let samples = looked.map_err(|error| refused(error.message()))?;
        Ok(samples.into_iter().next().map(|sample| sample.columns.names).unwrap_or_default())
    }
}

/// Where each column that was found stands among those that are known.
fn places(known: &[String], found: &[String]) -> std::result::Result<Vec<usize>, String> {
    let quoted = |names: &[&String]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    let unknown: Vec<&String> = found.iter().filter(|name| !known.contains(name)).collect();
    if !unknown.is_empty() {
        return Err(format!("it has columns that the rows have not: {}", quoted(&unknown)));
    }
    let missing: Vec<&String> = known.iter().filter(|name| !found.contains(name)).collect();
    if !missing.is_empty() {
        return Err(format!("it lacks columns of the rows: {}", quoted(&missing)));
    }
    if found.len() != known.len() {
        return Err(format!("it has {} columns, the rows have {}", found.len(), known.len()));
    }
    Ok(found.iter().filter_map(|name| known.iter().position(|other| other == name)).collect())
}

fn refused(why: &str) -> Error {
    let message = format!("the header of the edited rows is not that of the rejects: {why}");
    Error::new(ErrorKind::InvalidConfig, message).with_hint(HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_change_places_and_nothing_else() {
        let known = ["id", "amount", "note"].map(str::to_owned);
        let of = |found: &[&str]| {
            let found: Vec<String> = found.iter().map(|name| (*name).to_owned()).collect();
            places(&known, &found)
        };
        assert_eq!(of(&["note", "id", "amount"]), Ok(vec![2, 0, 1]));
        for (found, why) in [
            (&["id", "amount", "remark"][..], "have not: `remark`"),
            (&["id", "amount"], "lacks columns of the rows: `note`"),
            (&["id", "id", "amount", "note"], "4 columns, the rows have 3"),
        ] {
            assert!(of(found).unwrap_err().contains(why), "{found:?}");
        }
    }
}
