//! Whether a listed file is loaded, by what the ledger knows of its key.
//!
//! One pure function, so that a sync, a plan and a queue cannot disagree.

use crate::error::{Error, ErrorKind};
use crate::file::{FileId, FileVersion};
use crate::ledger::{KnownFile, Status};
use crate::stream::{OnChange, Reload};

/// The rules that a decision needs, all defaults decided.
#[derive(Clone, Copy, Debug)]
pub struct DecisionRules {
    /// What happens when a key comes back with other content.
    pub on_change: OnChange,
    /// Which files are loaded although the ledger knows them.
    pub reload: Reload,
    /// Attempts after which a failing file is given up.
    pub max_attempts: u32,
    /// Whether the table can tell the rows of one file.
    pub has_file_id: bool,
    /// Whether rows may be added that cannot be told from older ones.
    pub allow_duplicates: bool,
}

impl DecisionRules {
    /// Whether a version takes the place of those before it.
    fn displaces(&self) -> bool {
        self.on_change == OnChange::Replace && self.has_file_id
    }
}

/// What is to be done with a file.
#[derive(Debug)]
pub enum Decision {
    /// Load it.
    Load {
        /// Although its rows are in: they go first.
        again: bool,
        /// Loaded versions of the key whose rows go in the same transaction.
        displaces: Vec<FileId>,
        /// Whether no other version of the key may be loaded beside it.
        only_version: bool,
        /// Why, in a few words.
        reason: &'static str,
    },
    /// Nothing: it has been dealt with.
    Settled(Status),
    /// Nothing: it failed too often, and counts as failed.
    GaveUp {
        /// Attempts so far.
        attempts: u32,
        /// What went wrong at the last one.
        error: Option<String>,
    },
    /// Nothing: its key was loaded with other content, and changes are ignored.
    ChangeIgnored,
    /// It cannot be loaded under these rules.
    Refused(Error),
}

/// Decides on `file`, whose id in the table is `id`, given the ledger rows of
/// the same table, bucket, key and member.
pub fn decide(
    file: &FileVersion,
    id: FileId,
    known: &[&KnownFile],
    rules: &DecisionRules,
) -> Decision {
    let own = known.iter().copied().find(|entry| entry.id == id);
    if let Some(own) = own.filter(|own| !own.is_of(file)) {
        return Decision::Refused(id_collision(id, file, own));
    }
    let others = |status| {
        let others = known.iter().filter(move |entry| entry.status == status && entry.id != id);
        others.map(|entry| entry.id).collect::<Vec<FileId>>()
    };
    let decision = decide_beside(file, own, others(Status::Loaded), rules);
    taking_the_place_of(others(Status::Loading), decision)
}

/// What is in of a version that was not finished goes with the next one that
/// is loaded: it can be neither completed nor called loaded.
fn taking_the_place_of(unfinished: Vec<FileId>, mut decision: Decision) -> Decision {
    if let Decision::Load { displaces, .. } = &mut decision {
        displaces.extend(unfinished);
    }
    decision
}

/// Decides on `file`, of which the ledger has `own`, where `loaded_versions`
/// are in besides.
fn decide_beside(
    file: &FileVersion,
    own: Option<&KnownFile>,
    loaded_versions: Vec<FileId>,
    rules: &DecisionRules,
) -> Decision {
    let forced = rules.reload == Reload::Force;
    let retried = rules.reload != Reload::None;
    match own.map(|entry| (entry.status, entry)) {
        None => arrive(file, loaded_versions, rules, "new"),
        Some((Status::Loaded, _)) if forced => load_again(file, loaded_versions, rules, "forced"),
        Some((Status::Loaded, _)) if !loaded_versions.is_empty() && rules.displaces() => {
            // Only one of them can be what the key holds: this one was listed.
            load_again(file, loaded_versions, rules, "another version is loaded too")
        }
        Some((Status::Loaded, _)) => Decision::Settled(Status::Loaded),
        Some((Status::Failed, entry)) if entry.attempts >= rules.max_attempts && !retried => {
            Decision::GaveUp { attempts: entry.attempts, error: entry.error.clone() }
        }
        Some((Status::Failed, _)) => arrive(file, loaded_versions, rules, "failed before"),
        Some((Status::Skipped, _)) if retried => {
            arrive(file, loaded_versions, rules, "skipped before")
        }
        Some((Status::Superseded, _)) if forced || !loaded_versions.is_empty() => {
            arrive(file, loaded_versions, rules, "came back")
        }
        Some((Status::Undone, _)) if forced => arrive(file, loaded_versions, rules, "forced"),
        Some((Status::Removed | Status::Vanished, _)) => {
            arrive(file, loaded_versions, rules, "came back")
        }
        Some((Status::Loading, _)) if forced => load_again(file, loaded_versions, rules, "forced"),
        Some((Status::Loading, entry)) if entry.attempts >= rules.max_attempts && !retried => {
            Decision::GaveUp { attempts: entry.attempts, error: entry.error.clone() }
        }
        Some((Status::Loading, _)) => arrive(file, loaded_versions, rules, "unfinished"),
        Some((status @ (Status::Skipped | Status::Superseded | Status::Undone), _)) => {
            Decision::Settled(status)
        }
    }
}

/// A file whose rows are not in, while `loaded_versions` of its key may be.
fn arrive(
    file: &FileVersion,
    loaded_versions: Vec<FileId>,
    rules: &DecisionRules,
    reason: &'static str,
) -> Decision {
    let only_version = rules.on_change != OnChange::Append;
    let load = |displaces, reason| Decision::Load { again: false, displaces, only_version, reason };
    if loaded_versions.is_empty() {
        return load(Vec::new(), reason);
    }
    match rules.on_change {
        OnChange::Append => load(Vec::new(), reason),
        OnChange::Ignore => Decision::ChangeIgnored,
        OnChange::Replace if rules.has_file_id => load(loaded_versions, "changed"),
        OnChange::Replace => Decision::Refused(without_file_id(file)),
        OnChange::Fail => Decision::Refused(changed(file, rules.has_file_id)),
    }
}

fn load_again(
    file: &FileVersion,
    loaded_versions: Vec<FileId>,
    rules: &DecisionRules,
    reason: &'static str,
) -> Decision {
    if !rules.has_file_id && !rules.allow_duplicates {
        return Decision::Refused(without_file_id(file).with_hint(
            "pass --allow-duplicates to add the rows again, or delete the old ones yourself first",
        ));
    }
    // Other versions that were left beside it before stay beside it.
    let only_version = rules.displaces();
    let displaces = if only_version { loaded_versions } else { Vec::new() };
    Decision::Load { again: true, displaces, only_version, reason }
}

fn without_file_id(file: &FileVersion) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "was loaded before, and the table has no `_file_id` column by which its old rows could be \
         found",
    )
    .in_file(file.location())
    .with_hint("choose `on_change: append` or `ignore`, or load into a table that decant creates")
}

fn changed(file: &FileVersion, has_file_id: bool) -> Error {
    let hint = if has_file_id {
        "`on_change: replace` replaces the old rows, `append` adds the new ones, `ignore` leaves \
         the file alone"
    } else {
        "`on_change: append` adds the new rows to the old ones, `ignore` leaves the file alone; \
         replacing needs a `_file_id` column"
    };
    Error::new(ErrorKind::Conflict, "was loaded before with other content")
        .in_file(file.location())
        .with_hint(hint)
}

fn id_collision(id: FileId, file: &FileVersion, known: &KnownFile) -> Error {
    let (key, member) = (known.key.clone(), known.member.clone());
    let known_file = FileVersion { key, member, ..file.clone() };
    Error::new(
        ErrorKind::Internal,
        format!("has the id {id}, which the ledger gave to another file"),
    )
    .in_file(file.location())
    .with("known_file", known_file.location())
    .with("known_etag", known.etag.clone())
    .with_hint("rename the file: two identities in 2^63 met")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const RULES: DecisionRules = DecisionRules {
        on_change: OnChange::Replace,
        reload: Reload::None,
        max_attempts: 5,
        has_file_id: true,
        allow_duplicates: false,
    };

    fn version(etag: &str) -> FileVersion {
        FileVersion {
            source: "aws".into(),
            bucket: "b".into(),
            key: "k".into(),
            member: String::new(),
            etag: etag.into(),
            size: 1,
            version_id: None,
            last_modified: DateTime::UNIX_EPOCH,
        }
    }

    fn entry(etag: &str, status: Status, attempts: u32) -> KnownFile {
        let FileVersion { key, member, etag, size, .. } = version(etag);
        KnownFile {
            id: FileId::of("t", &version(&etag)),
            key,
            member,
            etag,
            size,
            target_table: "t".into(),
            status,
            attempts,
            error: None,
            rows_checksum: None,
        }
    }

    /// What happens to version `a`, in one word.
    fn outcome(known: &[KnownFile], rules: DecisionRules) -> String {
        let known: Vec<&KnownFile> = known.iter().collect();
        match decide(&version("a"), FileId::of("t", &version("a")), &known, &rules) {
            Decision::Load { again, displaces, .. } => {
                let again = if again { " again" } else { "" };
                format!("load{again} displacing {}", displaces.len())
            }
            Decision::Settled(status) => format!("settled {}", status.as_str()),
            Decision::GaveUp { .. } => "gave up".into(),
            Decision::ChangeIgnored => "ignored".into(),
            Decision::Refused(error) => format!("refused {:?}", error.kind()),
        }
    }

    #[test]
    fn each_state_has_its_answer() {
        let force = DecisionRules { reload: Reload::Force, ..RULES };
        let retry = DecisionRules { reload: Reload::Failed, ..RULES };
        for (status, attempts, plain, retried, forced) in [
            (Status::Loaded, 1, "settled loaded", "settled loaded", "load again displacing 0"),
            (Status::Failed, 4, "load displacing 0", "load displacing 0", "load displacing 0"),
            (Status::Failed, 5, "gave up", "load displacing 0", "load displacing 0"),
            (Status::Skipped, 1, "settled skipped", "load displacing 0", "load displacing 0"),
            (
                Status::Superseded,
                1,
                "settled superseded",
                "settled superseded",
                "load displacing 0",
            ),
            (Status::Undone, 1, "settled undone", "settled undone", "load displacing 0"),
            (Status::Removed, 1, "load displacing 0", "load displacing 0", "load displacing 0"),
            (Status::Vanished, 1, "load displacing 0", "load displacing 0", "load displacing 0"),
            (
                Status::Loading,
                4,
                "load displacing 0",
                "load displacing 0",
                "load again displacing 0",
            ),
            (Status::Loading, 5, "gave up", "load displacing 0", "load again displacing 0"),
        ] {
            let known = [entry("a", status, attempts)];
            assert_eq!(outcome(&known, RULES), plain, "{status:?}");
            assert_eq!(outcome(&known, retry), retried, "{status:?} retried");
            assert_eq!(outcome(&known, force), forced, "{status:?} forced");
        }
        assert_eq!(outcome(&[], RULES), "load displacing 0");
    }

    #[test]
    fn other_content_follows_on_change() {
        let known = [entry("b", Status::Loaded, 1)];
        for (on_change, has_file_id, expected) in [
            (OnChange::Replace, true, "load displacing 1"),
            (OnChange::Replace, false, "refused Conflict"),
            (OnChange::Append, true, "load displacing 0"),
            (OnChange::Ignore, true, "ignored"),
            (OnChange::Fail, true, "refused Conflict"),
        ] {
            let rules = DecisionRules { on_change, has_file_id, ..RULES };
            assert_eq!(outcome(&known, rules), expected, "{on_change:?}");
        }
    }

    #[test]
    fn content_that_comes_back_displaces_what_displaced_it() {
        let known = [entry("a", Status::Superseded, 1), entry("b", Status::Loaded, 1)];
        assert_eq!(outcome(&known, RULES), "load displacing 1");
    }

    #[test]
    fn of_two_loaded_versions_the_listed_one_displaces_the_other() {
        let known = [entry("a", Status::Loaded, 1), entry("b", Status::Loaded, 1)];
        for (on_change, has_file_id, expected) in [
            (OnChange::Replace, true, "load again displacing 1"),
            (OnChange::Replace, false, "settled loaded"),
            (OnChange::Append, true, "settled loaded"),
            (OnChange::Ignore, true, "settled loaded"),
            (OnChange::Fail, true, "settled loaded"),
        ] {
            let rules = DecisionRules { on_change, has_file_id, ..RULES };
            assert_eq!(outcome(&known, rules), expected, "{on_change:?}");
        }
    }

    #[test]
    fn only_appended_and_forced_versions_may_stand_beside_others() {
        let beside = [entry("a", Status::Loaded, 1), entry("b", Status::Loaded, 1)];
        for (known, reload, on_change, expected) in [
            (&[][..], Reload::None, OnChange::Replace, true),
            (&[][..], Reload::None, OnChange::Ignore, true),
            (&[][..], Reload::None, OnChange::Fail, true),
            (&[][..], Reload::None, OnChange::Append, false),
            (&beside[1..], Reload::None, OnChange::Replace, true),
            (&beside[1..], Reload::None, OnChange::Append, false),
            (&beside[..], Reload::Force, OnChange::Replace, true),
            (&beside[..], Reload::Force, OnChange::Append, false),
            (&beside[..], Reload::Force, OnChange::Fail, false),
        ] {
            let rules = DecisionRules { reload, on_change, ..RULES };
            let id = FileId::of("t", &version("a"));
            let known: Vec<&KnownFile> = known.iter().collect();
            let Decision::Load { only_version, .. } = decide(&version("a"), id, &known, &rules)
            else {
                panic!("{on_change:?} loads");
            };
            assert_eq!(only_version, expected, "{on_change:?} {reload:?}");
        }
    }

    #[test]
    fn an_unfinished_version_goes_whatever_becomes_of_loaded_ones() {
        let known = [entry("b", Status::Loading, 0), entry("c", Status::Loaded, 1)];
        for (on_change, alone, beside) in [
            (OnChange::Replace, "load displacing 1", "load displacing 2"),
            (OnChange::Append, "load displacing 1", "load displacing 1"),
            (OnChange::Ignore, "load displacing 1", "ignored"),
            (OnChange::Fail, "load displacing 1", "refused Conflict"),
        ] {
            let rules = DecisionRules { on_change, ..RULES };
            assert_eq!(outcome(&known[..1], rules), alone, "{on_change:?}");
            assert_eq!(outcome(&known, rules), beside, "{on_change:?}");
        }
    }

    #[test]
    fn what_a_replace_displaced_stays_out() {
        let known = [entry("a", Status::Superseded, 1)];
        assert_eq!(outcome(&known, RULES), "settled superseded");
    }

    #[test]
    fn a_version_that_only_failed_displaces_nothing() {
        let known = [entry("b", Status::Failed, 1)];
        assert_eq!(outcome(&known, RULES), "load displacing 0");
    }

    #[test]
    fn loading_again_without_file_ids_needs_permission() {
        let known = [entry("a", Status::Loaded, 1)];
        let rules = DecisionRules { reload: Reload::Force, has_file_id: false, ..RULES };
        assert_eq!(outcome(&known, rules), "refused Conflict");
        let allowed = DecisionRules { allow_duplicates: true, ..rules };
        assert_eq!(outcome(&known, allowed), "load again displacing 0");
    }

    #[test]
    fn one_id_for_two_identities_is_never_already_loaded() {
        let mut other = entry("a", Status::Loaded, 1);
        other.key = "elsewhere".into();
        assert_eq!(outcome(&[other], RULES), "refused Internal");
    }
}
