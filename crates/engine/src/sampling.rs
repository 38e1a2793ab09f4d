//! Which files a new table's types are inferred from, and the looking.
//!
//! Up to ten: the smallest with content, the largest, the oldest, the newest,
//! and others spread over the rest by a hash of their keys, so that the same
//! listing always gives the same sample.

use std::sync::Arc;

use decant_core::format::Sample;
use decant_core::habits::Habits;
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, FileVersion, Position, Result};
use futures::{StreamExt, stream};

use crate::input::{ContentInput, FetchCounter, Reading};
use crate::services::{Services, Settings};

const FILES_MAX: usize = 10;
const LOOKED_AT_TOGETHER: usize = FILES_MAX;
/// How often a file may be overwritten while it is looked at.
const OVERWRITES_MAX: usize = 8;

/// The files to look at for one table, chosen in constant memory.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    smallest: Option<FileVersion>,
    largest: Option<FileVersion>,
    oldest: Option<FileVersion>,
    newest: Option<FileVersion>,
    spread: Vec<(u64, FileVersion)>,
}

impl Candidates {
    pub(crate) fn offer(&mut self, file: &FileVersion) {
        keep(&mut self.smallest, file, |new, old| {
            new.size > 0 && (old.size == 0 || new.size < old.size)
        });
        keep(&mut self.largest, file, |new, old| new.size > old.size);
        keep(&mut self.oldest, file, |new, old| new.last_modified < old.last_modified);
        keep(&mut self.newest, file, |new, old| new.last_modified > old.last_modified);
        let rank = decant_core::FileId::of("", file).0 as u64;
        let place = self.spread.partition_point(|(other, _)| *other < rank);
        if place < FILES_MAX {
            self.spread.insert(place, (rank, file.clone()));
            self.spread.truncate(FILES_MAX);
        }
    }

    /// The chosen files, by key.
    pub(crate) fn chosen(&self) -> Vec<FileVersion> {
        let extremes = [&self.smallest, &self.largest, &self.oldest, &self.newest];
        let spread = self.spread.iter().map(|(_, file)| file);
        let mut chosen: Vec<FileVersion> = Vec::new();
        for file in extremes.into_iter().flatten().chain(spread) {
            if chosen.len() < FILES_MAX && !chosen.contains(file) {
                chosen.push(file.clone());
            }
        }
        chosen.sort_by(|one, other| one.key.cmp(&other.key));
        chosen
    }
}

fn keep(
    place: &mut Option<FileVersion>,
    file: &FileVersion,
    is_better: impl Fn(&FileVersion, &FileVersion) -> bool,
) {
    if place.as_ref().is_none_or(|kept| is_better(file, kept)) {
        *place = Some(file.clone());
    }
}

/// Looks at files. Those that cannot be read are left out: loading them will
/// say why. When none can, the first one's error is the answer.
pub(crate) async fn look_at(
    files: &[FileVersion],
    services: &Services,
    settings: &Settings,
    options: &FormatOptions,
    counter: &FetchCounter,
) -> Result<Vec<Sample>> {
    readable(look_at_each(files, services, settings, options, counter).await)
}

/// The files of one stream, looked at together.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    pub(crate) samples: Vec<Sample>,
    /// What they have in common.
    pub(crate) habits: Option<Arc<Habits>>,
}

/// Looks at the files of one stream for a table to be made of them. Those
/// that leave open what the others show are looked at once more, with the
/// others' habits; columns without names have those of the others.
pub(crate) async fn look_at_stream(
    files: &[FileVersion],
    services: &Services,
    settings: &Settings,
    options: &FormatOptions,
    counter: &FetchCounter,
) -> Result<Looks> {
    let mut looks = look_at_each(files, services, settings, options, counter).await;
    let habits = look_again(files, &mut looks, services, settings, options, counter).await;
    let mut samples = readable(looks)?;
    let names = habits.iter().flat_map(|habits| &habits.names).cloned().collect::<Vec<_>>();
    let unnamed = samples.iter_mut().map(|sample| &mut sample.columns);
    for columns in unnamed.filter(|it| !it.named && it.names.len() == names.len()) {
        columns.names.clone_from(&names);
        columns.named = true;
    }
    Ok(Looks { samples, habits })
}

/// Looks once more at the files that the habits of all may change.
pub(crate) async fn look_again(
    files: &[FileVersion],
    looks: &mut [Result<Sample>],
    services: &Services,
    settings: &Settings,
    options: &FormatOptions,
    counter: &FetchCounter,
) -> Option<Arc<Habits>> {
    let samples: Vec<Sample> = looks.iter().flatten().cloned().collect();
    let habits = Habits::of(&samples)?;
    let options = FormatOptions { habits: Some(Arc::clone(&habits)), ..options.clone() };
    for (file, look) in files.iter().zip(looks) {
        if look.as_ref().is_ok_and(|sample| habits.may_change(sample)) {
            *look = look_at_present(file.clone(), services, *settings, &options, counter).await;
        }
    }
    Some(habits)
}

/// Looks at files, several at a time; answers in their order.
pub(crate) async fn look_at_each(
    files: &[FileVersion],
    services: &Services,
    settings: &Settings,
    options: &FormatOptions,
    counter: &FetchCounter,
) -> Vec<Result<Sample>> {
    let looks = stream::iter(files.iter().cloned())
        .map(|file| look_at_present(file, services, *settings, options, counter))
        .buffered(LOOKED_AT_TOGETHER);
    looks.collect().await
}

fn readable(looks: Vec<Result<Sample>>) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let mut first_error = None;
    for look in looks {
        match look {
            Ok(sample) => samples.push(sample),
            Err(error) => {
                tracing::warn!(error = %error.chain(), "a file cannot be looked at");
                first_error.get_or_insert(error);
            }
        }
    }
    match (samples.is_empty(), first_error) {
        (true, Some(error)) => Err(error),
        _ => Ok(samples),
    }
}

/// Looks at a file; at what it is now, if it was overwritten since it was
/// listed.
async fn look_at_present(
    mut file: FileVersion,
    services: &Services,
    settings: Settings,
    options: &FormatOptions,
    counter: &FetchCounter,
) -> Result<Sample> {
    for _ in 0..OVERWRITES_MAX {
        let looked =
            look(file.clone(), services.clone(), settings, options.clone(), counter.clone()).await;
        match looked {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                match services.present(&file).await? {
                    Some(now) if now.file != file => file = now.file,
                    _ => return Err(error),
                }
            }
            ended => return ended,
        }
    }
    let error = Error::new(ErrorKind::Conflict, "the object keeps being overwritten");
    Err(error.in_file(file.location()))
}

async fn look(
    file: FileVersion,
    services: Services,
    settings: Settings,
    options: FormatOptions,
    counter: FetchCounter,
) -> Result<Sample> {
    let location = file.location();
    let named = |error: Error| error.in_file(&location);
    let format = (services.format)(file.name(), &options).map_err(named)?;
    let content = services.store.open(&file).await.map_err(named)?;
    let (ahead, reading) = (settings.ahead_bytes, Reading::AsAsked);
    let mut input =
        ContentInput::open(content, &file, ahead, counter, reading).await.map_err(named)?;
    let limits = settings.sample;
    let format = Arc::clone(&format);
    tokio::task::spawn_blocking(move || format.sample(&mut input, limits))
        .await
        .map_err(|error| {
            Error::new(ErrorKind::MalformedFile, "the decoder panicked").caused_by(error)
        })
        .and_then(|sample| sample.and_then(with_columns))
        .map_err(named)
}

/// A file without columns has no rows either; one whose rows cannot be read
/// is not taken for it.
fn with_columns(sample: Sample) -> Result<Sample> {
    match &sample.first_reject {
        Some(reject) if sample.columns.names.is_empty() => {
            let message = format!("none of its rows can be read: {}", reject.detail);
            Err(Error::new(ErrorKind::MalformedFile, message)
                .with_hint("mend the file, or say how it is read: its format, its encoding")
                .at(Position {
                    line: reject.line,
                    byte: reject.byte_offset,
                    ..Position::default()
                }))
        }
        _ => Ok(sample),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn file(key: &str, size: u64, seconds: i64) -> FileVersion {
        FileVersion {
            source: "aws".into(),
            bucket: "b".into(),
            key: key.into(),
            member: String::new(),
            etag: "e".into(),
            size,
            version_id: None,
            last_modified: DateTime::from_timestamp(seconds, 0).unwrap(),
        }
    }

    #[test]
    fn the_extremes_are_always_among_the_ten() {
        let mut candidates = Candidates::default();
        for number in 0..1000i64 {
            candidates.offer(&file(
                &format!("f{number:04}"),
                100 + number as u64 % 7,
                5000 + number,
            ));
        }
        for extreme in [
            file("empty", 0, 6000),
            file("small", 1, 6000),
            file("large", 9999, 6000),
            file("old", 100, 1),
            file("new", 100, 99_999),
        ] {
            candidates.offer(&extreme);
        }
        let chosen = candidates.chosen();
        assert_eq!(chosen.len(), 10);
        for key in ["small", "large", "old", "new"] {
            assert!(chosen.iter().any(|file| file.key == key), "{key}");
        }
    }

    #[test]
    fn the_choice_does_not_depend_on_the_order() {
        let files: Vec<_> = (0..50i64).map(|n| file(&format!("f{n}"), n as u64, n)).collect();
        let (mut one, mut other) = (Candidates::default(), Candidates::default());
        files.iter().for_each(|file| one.offer(file));
        files.iter().rev().for_each(|file| other.offer(file));
        assert_eq!(one.chosen(), other.chosen());
    }
}
