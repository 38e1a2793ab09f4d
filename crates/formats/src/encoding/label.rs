//! Names of encodings: the labels of the WHATWG's Encoding Standard, and the
//! spellings of Python and Java where they differ from those by a sign.

use decant_core::{Error, ErrorKind, Result};
use encoding_rs::Encoding;

/// Other names, by what the standard calls them.
const ALIASES: [(&str, &str); 8] = [
    ("utf8sig", "utf-8"),
    ("cp932", "shift_jis"),
    ("ms932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp949", "euc-kr"),
    ("cp950", "big5"),
    ("latin9", "iso-8859-15"),
    ("macroman", "macintosh"),
];

/// Names to suggest.
const USUAL: [&str; 24] = [
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "latin1",
    "iso-8859-1",
    "iso-8859-2",
    "iso-8859-15",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1256",
    "macintosh",
    "koi8-r",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "gb18030",
    "gbk",
    "big5",
    "euc-kr",
    "us-ascii",
];

/// The encoding that `label` names.
pub(super) fn encoding_of(label: &str) -> Result<&'static Encoding> {
    let lower = label.trim().to_ascii_lowercase();
    let plain = squeezed(&lower);
    let by_alias = || ALIASES.iter().find(|(alias, _)| *alias == plain).map(|(_, name)| *name);
    let by_usual = || USUAL.iter().find(|usual| squeezed(usual) == plain).copied();
    let by_code_page = || plain.strip_prefix("cp").map(|number| format!("windows-{number}"));
    Encoding::for_label_no_replacement(lower.as_bytes())
        .or_else(|| Encoding::for_label_no_replacement(by_alias().or_else(by_usual)?.as_bytes()))
        .or_else(|| Encoding::for_label_no_replacement(by_code_page()?.as_bytes()))
        .ok_or_else(|| unknown(label, &lower))
}

/// Without the signs that spellings differ in.
fn squeezed(label: &str) -> String {
    label.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect()
}

fn unknown(label: &str, lower: &str) -> Error {
    if ["utf32", "ucs4"].iter().any(|name| squeezed(lower).starts_with(name)) {
        return Error::new(ErrorKind::InvalidConfig, "files in UTF-32 cannot be read")
            .with_hint("convert them to UTF-8, for instance with `iconv -f UTF-32 -t UTF-8`");
    }
    let nearest = USUAL
        .iter()
        .map(|usual| (strsim::jaro_winkler(lower, usual), *usual))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(likeness, _)| *likeness > 0.7);
    let hint = match nearest {
        Some((_, usual)) => format!("did you mean `{usual}`?"),
        None => "choose a name such as utf-8, utf-16, windows-1252, shift_jis or gb18030".into(),
    };
    Error::new(ErrorKind::InvalidConfig, format!("there is no encoding `{label}`")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_found_by_the_names_that_people_use() {
        for (label, name) in [
            ("utf-8", "UTF-8"),
            ("UTF8", "UTF-8"),
            ("utf_8_sig", "UTF-8"),
            ("utf_16", "UTF-16LE"),
            ("UTF-16BE", "UTF-16BE"),
            ("latin-1", "windows-1252"),
            ("latin_1", "windows-1252"),
            ("ISO-8859-1", "windows-1252"),
            ("cp1252", "windows-1252"),
            ("cp1251", "windows-1251"),
            ("Shift_JIS", "Shift_JIS"),
            ("shift-jis", "Shift_JIS"),
            ("cp932", "Shift_JIS"),
            ("gb18030", "gb18030"),
            ("Big5", "Big5"),
            ("EUC-KR", "EUC-KR"),
        ] {
            assert_eq!(encoding_of(label).unwrap().name(), name, "{label}");
        }
    }

    #[test]
    fn an_unknown_name_is_a_configuration_error_with_the_nearest_one() {
        let error = encoding_of("utf-9").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidConfig);
        assert_eq!(error.message(), "there is no encoding `utf-9`");
        assert_eq!(error.hint(), Some("did you mean `utf-8`?"));
        assert_eq!(
            encoding_of("window-1252").unwrap_err().hint(),
            Some("did you mean `windows-1252`?")
        );
        for label in ["utf-32", "UTF_32LE", "ucs-4"] {
            assert!(encoding_of(label).unwrap_err().hint().unwrap().contains("iconv"));
        }
        assert!(encoding_of("klingon").unwrap_err().hint().unwrap().contains("such as utf-8"));
        assert!(encoding_of("").is_err());
    }
}
