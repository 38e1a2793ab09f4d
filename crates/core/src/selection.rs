//! Which files belong to a stream, and the rule by which the others do not.
//!
//! Pure: a selection says what must be scanned and judges each key; the
//! listing itself is the storage's work. A key is never excluded without a
//! rule that has a name.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use globset::{GlobBuilder, GlobMatcher};
use regex::Regex;

use crate::archive::{Member, MemberKind};
use crate::error::{Error, ErrorKind, Result};

/// Something to ask the storage for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scan {
    /// This key, if it is there.
    Key(String),
    /// Every key that begins with this text.
    Prefix(String),
}

/// How keys are chosen.
#[derive(Clone, Debug)]
enum Pattern {
    /// One key, whatever it is called.
    Key(String),
    /// A key or, with a `/` behind it, a folder: `s3://bucket/data`.
    KeyOrFolder(String),
    /// Everything below a prefix that is empty or ends in `/`.
    Folder(String),
    /// A glob over the whole key, and its longest literal prefix.
    Glob { matcher: GlobMatcher, text: String, literal: String },
}

impl Pattern {
    fn scans(&self) -> Vec<Scan> {
        match self {
            Self::Key(key) => vec![Scan::Key(key.clone())],
            Self::KeyOrFolder(path) => {
                vec![Scan::Key(path.clone()), Scan::Prefix(format!("{path}/"))]
            }
            Self::Folder(prefix) | Self::Glob { literal: prefix, .. } => {
                vec![Scan::Prefix(prefix.clone())]
            }
        }
    }

    fn matches(&self, key: &str) -> bool {
        match self {
            Self::Key(wanted) => wanted == key,
            Self::KeyOrFolder(path) => key
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Folder(folder) => key.starts_with(folder.as_str()),
            Self::Glob { matcher, .. } => matcher.is_match(key),
        }
    }

    /// The pattern as a person would type it.
    fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::KeyOrFolder(text) | Self::Folder(text) => text,
            Self::Glob { text, .. } => text,
        }
    }

    fn folder(&self) -> &str {
        folder_of(match self {
            Self::Key(text) | Self::KeyOrFolder(text) | Self::Folder(text) => text,
            Self::Glob { literal, .. } => literal,
        })
    }

    /// The part of the path, below what was named, that makes it a hidden
    /// file. What is named in full is meant.
    fn hidden_part<'a>(&self, key: &'a str) -> Option<&'a str> {
        if matches!(self, Self::Key(named) | Self::KeyOrFolder(named) if named == key) {
            return None;
        }
        let below = key.strip_prefix(self.folder()).unwrap_or(key);
        hidden_part(below)
    }
}

/// The first part of a path that begins as those of hidden files do.
fn hidden_part(path: &str) -> Option<&str> {
    path.split('/').find(|part| match part.as_bytes() {
        b"." | b".." => false,
        [b'.', ..] => true,
        [b'_', ..] => !part.contains('='),
        _ => false,
    })
}

impl Scan {
    fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Prefix(text) => text,
        }
    }

    /// Of a key and a prefix of the same text the prefix comes first: it
    /// covers the key.
    fn rank(&self) -> u8 {
        match self {
            Self::Prefix(_) => 0,
            Self::Key(_) => 1,
        }
    }
}

/// Which files belong to a stream.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Never empty; one is enough.
    patterns: Vec<Pattern>,
    /// Must be found in the key, whichever pattern matches.
    search: Option<Regex>,
    exclude: Vec<(GlobMatcher, String)>,
    extension: Option<String>,
    min_age: Duration,
}

/// The rule by which a key is not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exclusion {
    /// The key ends in `/` and holds nothing: a folder drawn by a console.
    FolderMarker,
    /// A part of the path begins with `.` or `_`, as temporary files and
    /// `_SUCCESS` do (Hive partitions such as `_day=1` are not meant).
    Hidden(String),
    /// The pattern does not match.
    NotMatched(String),
    /// An `exclude` pattern matches.
    Excluded(String),
    /// The name has another extension.
    OtherExtension(String),
    /// An entry of an archive that is no file: what it is instead.
    NotAFile(&'static str),
    /// Modified too recently.
    TooYoung {
        /// Seconds since it was modified.
        age_seconds: i64,
        /// Seconds that `min_age` asks for.
        min_age_seconds: u64,
    },
}

impl Exclusion {
    /// The rule's name, for scripts.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::FolderMarker => "folder_marker",
            Self::Hidden(_) => "hidden",
            Self::NotMatched(_) => "not_matched",
            Self::Excluded(_) => "exclude",
            Self::OtherExtension(_) => "extension",
            Self::NotAFile(_) => "not_a_file",
            Self::TooYoung { .. } => "min_age",
        }
    }
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FolderMarker => f.write_str("folder marker"),
            Self::Hidden(part) => write!(f, "hidden: `{part}` begins with `.` or `_`"),
            Self::NotMatched(pattern) => write!(f, "does not match `{pattern}`"),
            Self::Excluded(pattern) => write!(f, "excluded by `{pattern}`"),
            Self::OtherExtension(extension) => write!(f, "extension is not `{extension}`"),
            Self::NotAFile(what) => write!(f, "not a file: {what}"),
            Self::TooYoung { age_seconds, min_age_seconds } => {
                write!(f, "modified {age_seconds} s ago, min_age is {min_age_seconds} s")
            }
        }
    }
}

impl Selection {
    /// Exactly one key.
    pub fn key(key: impl Into<String>) -> Self {
        Self::of(Pattern::Key(key.into()))
    }

    /// What a person means by a path: a glob if it has glob characters, a
    /// folder if it is empty or ends in `/`, else a key or a folder.
    pub fn path(path: &str) -> Result<Self> {
        if has_glob_characters(path) {
            Self::glob(path)
        } else if path.is_empty() || path.ends_with('/') {
            Ok(Self::of(Pattern::Folder(path.to_owned())))
        } else {
            Ok(Self::of(Pattern::KeyOrFolder(path.to_owned())))
        }
    }

    /// A glob over the whole key: `*` and `?` stay within a folder, `**`
    /// does not, `[…]` and `{a,b}` as in a shell.
    pub fn glob(glob: &str) -> Result<Self> {
        let literal = literal_prefix(glob);
        let matcher = compile_glob(glob)?;
        Ok(Self::of(Pattern::Glob { matcher, text: glob.to_owned(), literal }))
    }

    /// Keeps only keys in which this regular expression is found, and hands
    /// out its named groups.
    pub fn searched(mut self, regex: &str) -> Result<Self> {
        self.search = Some(Regex::new(regex).map_err(|error| {
            Error::new(ErrorKind::InvalidConfig, format!("`{regex}` is not a regular expression"))
                .caused_by(error)
        })?);
        Ok(self)
    }

    fn of(pattern: Pattern) -> Self {
        Self {
            patterns: vec![pattern],
            search: None,
            exclude: Vec::new(),
            extension: None,
            min_age: Duration::ZERO,
        }
    }

    /// What this or the other selects; the rules that narrow a selection are
    /// this one's.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.patterns.extend(other.patterns);
        self
    }

    /// Leaves out what this glob over the whole key matches.
    pub fn exclude(mut self, glob: &str) -> Result<Self> {
        self.exclude.push((compile_glob(glob)?, glob.to_owned()));
        Ok(self)
    }

    /// Keeps only names that end in `extension`, given with or without its
    /// dot; case is ignored.
    #[must_use]
    pub fn extension(mut self, extension: &str) -> Self {
        let bare = extension.strip_prefix('.').unwrap_or(extension);
        self.extension = Some(format!(".{}", bare.to_lowercase()));
        self
    }

    /// Leaves what is younger for the next run.
    #[must_use]
    pub fn min_age(mut self, min_age: Duration) -> Self {
        self.min_age = min_age;
        self
    }

    /// What to ask the storage for, in key order and without overlap.
    pub fn scans(&self) -> Vec<Scan> {
        let mut scans: Vec<Scan> = self.patterns.iter().flat_map(Pattern::scans).collect();
        scans.sort_by(|one, other| (one.text(), one.rank()).cmp(&(other.text(), other.rank())));
        let mut apart: Vec<Scan> = Vec::with_capacity(scans.len());
        for scan in scans {
            let is_covered = match apart.last() {
                Some(Scan::Prefix(prefix)) => scan.text().starts_with(prefix.as_str()),
                Some(Scan::Key(_)) => apart.last() == Some(&scan),
                None => false,
            };
            if !is_covered {
                apart.push(scan);
            }
        }
        apart
    }

    /// The regular expression, whose named groups columns and tables may use.
    pub fn named_groups(&self) -> Option<&Regex> {
        self.search.as_ref()
    }

    /// The longest folder that every selected key is in: empty, or ending
    /// in `/`.
    pub fn folder(&self) -> &str {
        let mut folders = self.patterns.iter().map(Pattern::folder);
        let first = folders.next().unwrap_or_default();
        folders.fold(first, |shared, folder| {
            let bytes = shared.bytes().zip(folder.bytes());
            let alike = bytes.take_while(|(one, other)| one == other).count();
            match shared.as_bytes()[..alike].iter().rposition(|byte| *byte == b'/') {
                Some(slash) => &shared[..=slash],
                None => "",
            }
        })
    }

    /// Why the key is not selected, if it is not.
    pub fn judge(
        &self,
        key: &str,
        size: u64,
        last_modified: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Option<Exclusion> {
        let named = |pattern: &Pattern| matches!(pattern, Pattern::Key(wanted) if wanted == key);
        if self.patterns.iter().any(named) {
            return self.not_found(key);
        }
        if key.ends_with('/') && size == 0 {
            return Some(Exclusion::FolderMarker);
        }
        self.not_matched(key)
            .or_else(|| self.hidden(key))
            .or_else(|| self.excluded(key))
            .or_else(|| self.too_young(last_modified, now))
    }

    /// Why a member of the archive at `key`, which is selected, is not loaded,
    /// if it is not: members are hidden as keys are, and left out by what
    /// `exclude` says of `key!/path`.
    pub fn judge_member(&self, key: &str, member: &Member) -> Option<Exclusion> {
        match member.kind {
            MemberKind::Folder => return Some(Exclusion::FolderMarker),
            MemberKind::Other(what) => return Some(Exclusion::NotAFile(what)),
            MemberKind::File if member.path.is_empty() => {
                return Some(Exclusion::NotAFile("it has no name"));
            }
            MemberKind::File => {}
        }
        hidden_part(&member.path)
            .map(|part| Exclusion::Hidden(part.to_owned()))
            .or_else(|| self.excluded(&format!("{key}!/{}", member.path)))
    }

    /// The rules by which members of archives are chosen, as one text.
    pub fn member_rules(&self) -> String {
        let excludes: Vec<&str> = self.exclude.iter().map(|(_, text)| text.as_str()).collect();
        excludes.join("\n")
    }

    fn not_matched(&self, key: &str) -> Option<Exclusion> {
        if !self.patterns.iter().any(|pattern| pattern.matches(key)) {
            let patterns: Vec<&str> = self.patterns.iter().map(Pattern::text).collect();
            return Some(Exclusion::NotMatched(patterns.join("`, `")));
        }
        self.not_found(key).or_else(|| {
            let extension = self.extension.as_ref()?;
            let name = key.rsplit('/').next().unwrap_or(key).to_lowercase();
            let is_other = !name.ends_with(extension.as_str());
            is_other.then(|| Exclusion::OtherExtension(extension.clone()))
        })
    }

    fn not_found(&self, key: &str) -> Option<Exclusion> {
        let search = self.search.as_ref().filter(|search| !search.is_match(key))?;
        Some(Exclusion::NotMatched(search.as_str().to_owned()))
    }

    /// Hidden below the folder of every pattern that matches.
    fn hidden(&self, key: &str) -> Option<Exclusion> {
        let matching = self.patterns.iter().filter(|pattern| pattern.matches(key));
        let mut hidden = None;
        for pattern in matching {
            hidden = Some(pattern.hidden_part(key)?);
        }
        hidden.map(|part| Exclusion::Hidden(part.to_owned()))
    }

    fn excluded(&self, key: &str) -> Option<Exclusion> {
        self.exclude
            .iter()
            .find(|(matcher, _)| matcher.is_match(key))
            .map(|(_, text)| Exclusion::Excluded(text.clone()))
    }

    fn too_young(&self, last_modified: DateTime<Utc>, now: DateTime<Utc>) -> Option<Exclusion> {
        if self.min_age.is_zero() {
            return None;
        }
        let age_seconds = (now - last_modified).num_seconds();
        let min_age_seconds = self.min_age.as_secs();
        (age_seconds < min_age_seconds as i64)
            .then_some(Exclusion::TooYoung { age_seconds, min_age_seconds })
    }
}

/// The part of `path` up to and with its last `/`.
pub fn folder_of(path: &str) -> &str {
    path.rfind('/').map_or("", |slash| &path[..=slash])
}

/// Whether a person who typed this meant a glob.
pub fn has_glob_characters(path: &str) -> bool {
    path.contains(['*', '?', '[', '{'])
}

/// `text` as a glob that matches nothing but itself.
pub fn escape_glob(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '*' | '?' | '[' | ']' | '{' | '}' => format!("[{letter}]"),
            _ => letter.to_string(),
        })
        .collect()
}

fn literal_prefix(glob: &str) -> String {
    let mut literal = String::new();
    let mut rest = glob;
    while let Some(letter) = rest.chars().next() {
        // `[x]` is how a glob spells a literal special character.
        let inside = rest.strip_prefix('[').and_then(|inside| {
            let mut letters = inside.chars();
            let one = letters.next()?;
            (one != '!' && one != '^' && letters.next() == Some(']')).then_some(one)
        });
        if let Some(one) = inside {
            literal.push(one);
            rest = &rest[2 + one.len_utf8()..];
        } else if "*?[{\\".contains(letter) {
            break;
        } else {
            literal.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    literal
}

fn compile_glob(glob: &str) -> Result<GlobMatcher> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .backslash_escape(false)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| {
            Error::new(ErrorKind::InvalidConfig, format!("`{glob}` is not a glob")).caused_by(error)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(selection: &Selection, key: &str) -> Option<&'static str> {
        selection.judge(key, 1, DateTime::UNIX_EPOCH, Utc::now()).map(|exclusion| exclusion.rule())
    }

    #[test]
    fn a_folder_does_not_match_its_longer_sibling() {
        for path in ["data", "data/"] {
            let selection = Selection::path(path).unwrap();
            assert_eq!(judge(&selection, "data/a.csv"), None, "{path}");
            assert_eq!(judge(&selection, "data2/a.csv"), Some("not_matched"), "{path}");
        }
    }

    #[test]
    fn a_path_is_a_key_or_a_folder() {
        let selection = Selection::path("data/a.csv").unwrap();
        assert_eq!(
            selection.scans(),
            [Scan::Key("data/a.csv".into()), Scan::Prefix("data/a.csv/".into())]
        );
        assert_eq!(judge(&selection, "data/a.csv"), None);
        assert_eq!(judge(&selection, "data/a.csv.bak"), Some("not_matched"));
    }

    #[test]
    fn the_longest_literal_prefix_of_a_glob_is_scanned() {
        for (glob, prefix) in [
            ("in/2026/**/*.csv", "in/2026/"),
            ("in/orders-*.csv", "in/orders-"),
            ("in/{a,b}.csv", "in/"),
            ("*.csv", ""),
            ("weird[[]1].csv*", "weird[1].csv"),
        ] {
            let selection = Selection::glob(glob).unwrap();
            assert_eq!(selection.scans(), [Scan::Prefix(prefix.into())], "{glob}");
        }
    }

    #[test]
    fn stars_stay_within_a_folder_and_double_stars_do_not() {
        let one = Selection::glob("in/*.csv").unwrap();
        assert_eq!(judge(&one, "in/a.csv"), None);
        assert_eq!(judge(&one, "in/x/a.csv"), Some("not_matched"));
        let all = Selection::glob("in/**/*.csv").unwrap();
        for key in ["in/a.csv", "in/x/y/a.csv", "in/new\nline.csv"] {
            assert_eq!(judge(&all, key), None, "{key}");
        }
    }

    #[test]
    fn an_escaped_glob_matches_only_itself() {
        let key = "a[1]{x}*?.csv";
        let selection = Selection::glob(&escape_glob(key)).unwrap();
        assert_eq!(selection.scans(), [Scan::Prefix(key.into())]);
        assert_eq!(judge(&selection, key), None);
        assert_eq!(judge(&selection, "a1x.csv"), Some("not_matched"));
    }

    #[test]
    fn every_exclusion_has_a_rule() {
        let selection = Selection::path("in/")
            .unwrap()
            .exclude("**/tmp/**")
            .unwrap()
            .extension("csv")
            .min_age(Duration::from_secs(60));
        let now = Utc::now();
        let old = DateTime::UNIX_EPOCH;
        for (key, size, modified, rule) in [
            ("in/", 0, old, Some("folder_marker")),
            ("in/_SUCCESS.csv", 0, old, Some("hidden")),
            ("in/.hidden/a.csv", 1, old, Some("hidden")),
            ("in/_day=1/a.csv", 1, old, None),
            ("in/x/../a.csv", 1, old, None),
            ("in/..a.csv", 1, old, Some("hidden")),
            ("in/tmp/a.csv", 1, old, Some("exclude")),
            ("in/a.tsv", 1, old, Some("extension")),
            ("in/a.csv", 1, now, Some("min_age")),
            ("in/A.CSV", 1, old, None),
            ("elsewhere/a.csv", 1, old, Some("not_matched")),
        ] {
            let judged = selection.judge(key, size, modified, now);
            assert_eq!(judged.map(|exclusion| exclusion.rule()), rule, "{key}");
        }
    }

    #[test]
    fn members_of_archives_are_left_out_by_rules_with_names() {
        let selection = Selection::path("in/").unwrap().exclude("**/*.txt").unwrap();
        let selection = selection.exclude("in/b.zip!/old/**").unwrap();
        for (path, kind, rule) in [
            ("a.csv", MemberKind::File, None),
            ("../a.csv", MemberKind::File, None),
            ("day=1/_x=1/a.csv", MemberKind::File, None),
            ("__MACOSX/._a.csv", MemberKind::File, Some("hidden")),
            ("x/.DS_Store", MemberKind::File, Some("hidden")),
            ("_SUCCESS", MemberKind::File, Some("hidden")),
            ("x/", MemberKind::Folder, Some("folder_marker")),
            ("a", MemberKind::Other("symbolic link"), Some("not_a_file")),
            ("", MemberKind::File, Some("not_a_file")),
            ("x/readme.txt", MemberKind::File, Some("exclude")),
            ("readme.txt", MemberKind::File, Some("exclude")),
            ("old/a.csv", MemberKind::File, Some("exclude")),
        ] {
            let member = Member { path: path.into(), size: 1, kind };
            let judged = selection.judge_member("in/b.zip", &member);
            assert_eq!(judged.map(|exclusion| exclusion.rule()), rule, "{path}");
        }
    }

    #[test]
    fn a_hidden_file_named_in_full_is_meant() {
        let selection = Selection::path("in/_late.csv").unwrap();
        assert_eq!(judge(&selection, "in/_late.csv"), None);
        assert_eq!(judge(&Selection::key("_x/.y"), "_x/.y"), None);
    }

    #[test]
    fn several_selections_are_one_without_overlap() {
        let selection = Selection::path("in/b.csv")
            .unwrap()
            .or(Selection::key("in/_a.csv"))
            .or(Selection::path("in/x/").unwrap())
            .or(Selection::glob("in/x/y/*.csv").unwrap());
        let scans = [
            Scan::Key("in/_a.csv".into()),
            Scan::Key("in/b.csv".into()),
            Scan::Prefix("in/b.csv/".into()),
            Scan::Prefix("in/x/".into()),
        ];
        assert_eq!(selection.scans(), scans);
        assert_eq!(selection.folder(), "in/");
        for (key, rule) in [
            ("in/_a.csv", None),
            ("in/b.csv", None),
            ("in/c.csv", Some("not_matched")),
            ("in/x/_c.csv", Some("hidden")),
        ] {
            assert_eq!(judge(&selection, key), rule, "{key}");
        }
    }

    #[test]
    fn a_regex_is_searched_in_the_whole_key() {
        for selection in [
            Selection::path("in/").unwrap(),
            Selection::glob("in/**/*.csv").unwrap(),
            Selection::path("in/x/20260101.csv").unwrap().or(Selection::key("in/x/2026.csv")),
        ] {
            assert!(selection.named_groups().is_none());
            let selection = selection.searched(r"(?P<day>\d{8})\.csv$").unwrap();
            assert_eq!(judge(&selection, "in/x/20260101.csv"), None, "{selection:?}");
            assert_eq!(judge(&selection, "in/x/2026.csv"), Some("not_matched"), "{selection:?}");
            assert!(selection.named_groups().is_some());
        }
        let folder = Selection::path("in/").unwrap().searched("x").unwrap();
        assert_eq!(judge(&folder, "out/x.csv"), Some("not_matched"));
        assert_eq!(folder.scans(), [Scan::Prefix("in/".into())]);
    }
}
