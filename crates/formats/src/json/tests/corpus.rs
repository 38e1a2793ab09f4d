//! JSONTestSuite: 95 documents to accept, 188 to refuse, 35 either way. To
//! refuse is to load no row and to say so, with line and column.

use std::path::PathBuf;

use super::super::JsonFormat;
use super::{decode_with, plain, text};

/// Our own documents in its manner: a name that says what to do, and bytes.
const OWN: [(&str, &[u8]); 8] = [
    ("y_object_nested", b"{\"a\":{\"b\":[1,{}]}}"),
    ("y_string_pair", br#"["\ud83d\ude00"]"#),
    ("n_array_open", b"[1"),
    ("n_array_double", b"[][]"),
    ("n_number_plus", b"[+1]"),
    ("n_string_tab", b"[\"\t\"]"),
    ("i_string_invalid", b"[\"\xff\"]"),
    ("i_number_huge", b"[1e999]"),
];

/// The corpus; `None` when nobody asked for one and there is none.
fn corpus() -> Option<PathBuf> {
    let suite = "json-test-suite/test_parsing";
    match std::env::var_os("DECANT_CORPORA") {
        Some(corpora) => Some(PathBuf::from(corpora).join(suite)),
        None => {
            let shared = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
            shared.exists().then(|| shared.join(suite))
        }
    }
}

fn check_document(name: &str, document: &[u8]) {
    for sizes in [(1 << 20, 1 << 20), (1, 1), (50, 7)] {
        let decoded = decode_with(document, JsonFormat::new(&plain()).unwrap(), &text, sizes);
        match (name.as_bytes().first(), decoded) {
            (Some(b'y'), Ok(decoded)) => assert_eq!(decoded.rejects, [], "{name}"),
            (Some(b'y'), Err(error)) => panic!("{name}: {error:?}"),
            (Some(b'n'), Ok(decoded)) => {
                assert!(decoded.rows.is_empty() && decoded.rows_read > 0, "{name}: {decoded:?}");
                assert!(decoded.rejects.iter().all(|reject| reject.line.is_some()), "{name}");
            }
            (Some(b'n'), Err(error)) => {
                assert!(error.position().is_some_and(|at| at.line.is_some()), "{name}: {error:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn documents_of_the_suite_are_accepted_and_refused_as_it_says() {
    for (name, document) in OWN {
        check_document(name, document);
    }
    let Some(corpus) = corpus() else {
        println!("DECANT_CORPORA is not set: only decant's own documents were read");
        return;
    };
    let mut counts = [0; 3];
    for entry in
        std::fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()))
    {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let document =
            std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        check_document(&name, &document);
        if let Some(kind) = name.chars().next().and_then(|kind| "yni".find(kind)) {
            counts[kind] += 1;
        }
    }
    assert_eq!(counts, [95, 188, 35]);
}
