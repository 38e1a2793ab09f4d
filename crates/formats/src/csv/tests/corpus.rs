//! csv-spectrum, and a few files of our own in its manner.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{decode, plain};

/// Its csv and its json disagree about a phone number.
const CONTRADICTORY: &str = "location_coordinates";

/// Our own fixtures: a file, and its rows as JSON.
const OWN: [(&str, &str); 4] = [
    ("a,b\n1,\"x, y\"\n", r#"[{"a": "1", "b": "x, y"}]"#),
    ("a\r\n\"one\r\ntwo\"\r\n", r#"[{"a": "one\r\ntwo"}]"#),
    ("a,b\n\"\"\"\",\"\"\n", r#"[{"a": "\"", "b": ""}]"#),
    ("n\u{fa}mero\n\u{1f600}", r#"[{"número": "😀"}]"#),
];

/// The corpus; `None` when nobody asked for one and there is none.
fn corpus() -> Option<PathBuf> {
    match std::env::var_os("DECANT_CORPORA") {
        Some(corpora) => Some(PathBuf::from(corpora).join("csv-spectrum")),
        None => {
            let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
            shared.exists().then(|| shared.join("csv-spectrum"))
        }
    }
}

fn check_file(name: &str, csv: &[u8], expected: &str) {
    let decoded = decode(csv, &plain());
    assert_eq!(decoded.rejects, [], "{name}");
    let names = decoded.names();
    let objects: Vec<Value> = decoded
        .rows()
        .into_iter()
        .map(|row| {
            let values = row.into_iter().map(|value| Value::String(value.unwrap_or_default()));
            Value::Object(names.iter().map(ToString::to_string).zip(values).collect::<Map<_, _>>())
        })
        .collect();
    let expected: Value = serde_json::from_str(expected).expect(name);
    assert_eq!(Value::Array(objects), expected, "{name}");
}

#[test]
fn files_of_the_corpus_are_what_their_json_says() {
    for (csv, json) in OWN {
        check_file(csv, csv.as_bytes(), json);
    }
    let Some(corpus) = corpus() else {
        println!("DECANT_CORPORA is not set: only decant's own fixtures were read");
        return;
    };
    let read = |path: PathBuf| {
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut names: Vec<String> = std::fs::read_dir(corpus.join("csvs"))
        .unwrap_or_else(|error| panic!("{}: {error}", corpus.display()))
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| name != CONTRADICTORY);
    assert!(names.len() >= 11, "the corpus has eleven files that agree: {names:?}");
    for name in names {
        let csv = read(corpus.join(format!("csvs/{name}.csv")));
        let json = read(corpus.join(format!("json/{name}.json")));
        check_file(&name, &csv, std::str::from_utf8(&json).expect(&name));
    }
}
