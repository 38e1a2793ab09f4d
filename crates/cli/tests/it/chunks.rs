//! `atomic: chunk`: a large file is committed piece by piece, each once, and
//! whatever cuts a run short, the next one goes on.

use decant_testkit::s3::{Action, Call, Gate, Operation, wait_until_blocking};

use crate::run::Running;
use crate::world::{BUCKET, World, on_both};

const KEY: &str = "orders/1.csv";
const ROWS: usize = 6_000;
/// Chunks of about a tenth of the file.
const OPTIONS: [&str; 4] = ["--atomic", "chunk", "--chunk-bytes", "20000"];

/// The same rows as JSON, some of them over several lines.
fn lines(rows: usize) -> String {
    let row = |n: usize| match n % 10 {
        0 => format!("{{\"id\": {n},\n \"text\": \"first line\\nof, {n}\"}}\n"),
        _ => format!("{{\"text\": \"first line\\nof, {n}\", \"id\": {n}}}\n"),
    };
    (1..=rows).map(row).collect()
}

/// Rows of two lines each, the second one in quotes.
fn file(rows: usize) -> String {
    let rows: String = (1..=rows).map(|n| format!("{n},\"first line\nof, {n}\"\n")).collect();
    format!("id,text\n{rows}")
}

fn options<'o>(more: &[&'o str]) -> Vec<&'o str> {
    [&OPTIONS[..], more].concat()
}

/// How many chunks are in, and that they are whole and next to each other.
fn chunks(world: &World) -> usize {
    let found = world.query("SELECT first_byte, last_byte FROM processed_chunks ORDER BY 1");
    let bounds: Vec<Vec<u64>> = found
        .iter()
        .map(|chunk| chunk.split('|').map(|byte| byte.parse().unwrap()).collect())
        .collect();
    assert!(bounds.windows(2).all(|pair| pair[0][1] < pair[1][0]), "{found:?}");
    found.len()
}

/// Requests for what stands behind this share of the file wait at the gate.
fn hold_behind(world: &World, share: usize, gate: &Gate) {
    let (gate, from) = (gate.clone(), file(ROWS).len() * share / 10);
    world.s3.set_hook(move |call: &Call| match range_start(call.header("range")) {
        Some(start) if start > from => Action::serve().after(gate.opened()),
        _ => Action::serve(),
    });
}

fn range_start(range: Option<&str>) -> Option<usize> {
    range?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
}

/// Waits until a request is held.
fn is_held(world: &World, share: usize) {
    let from = file(ROWS).len() * share / 10;
    wait_until_blocking(&world.s3, |requests| {
        requests.iter().any(|request| {
            request.operation == Operation::Get
                && range_start(request.range.as_deref()).is_some_and(|start| start > from)
        })
    });
}

fn started(world: &World) -> Running {
    let source = format!("s3://{BUCKET}/orders/");
    let words = ["load", source.as_str(), "--to", &world.database.url(), "--output", "json"];
    world.decant(&[&words[..], &OPTIONS].concat()).start()
}

fn assert_complete(world: &World) {
    world.assert_ledger_agrees("processed_files");
    assert_eq!(
        world.query("SELECT count(*), count(DISTINCT id), min(id), max(id) FROM orders"),
        [format!("{ROWS}|{ROWS}|1|{ROWS}")]
    );
    assert_eq!(world.ledger(), [format!("{KEY}|loaded|{ROWS}|1")]);
    assert!(chunks(world) > 5, "it was cut");
    let bytes = world.query("SELECT sum(last_byte - first_byte + 1) FROM processed_chunks");
    assert_eq!(bytes, [file(ROWS).len().to_string()]);
}

#[test]
fn chunks_bring_what_the_whole_file_brings() {
    on_both(|world| {
        let mut content = file(ROWS);
        for (at, bad) in [(3_000, "x"), (4_000, "y"), (5_900, "too,many,")] {
            content = content.replace(&format!("\n{at},"), &format!("\n{bad}{at},"));
        }
        world.put("small/0.csv", "id,text\n1,a\n");
        for table in ["whole", "cut"] {
            world.load("small/", &["--table", table]).exits(0);
        }
        world.put(KEY, content);
        let reject = ["--on-error", "reject", "--types", "frozen", "--table"];
        world.load("orders/", &[&reject[..], &["whole"]].concat()).exits(3);
        let run = world.load("orders/", &options(&[&reject[..], &["cut"]].concat())).exits(3);
        assert_eq!(run.rows(), "read 6000, loaded 5997, rejected 3");
        let rows = |table| world.query(&format!("SELECT id, text FROM {table} ORDER BY id, text"));
        assert_eq!(rows("cut"), rows("whole"));
        let rejects = |table| {
            world.query(&format!(
                "SELECT ordinal, line, byte_offset, reason, detail FROM rejected_rows
                 JOIN processed_files ON processed_files.id = file_id
                 WHERE target_table LIKE '%{table}' ORDER BY ordinal"
            ))
        };
        assert_eq!(rejects("cut"), rejects("whole"));
        assert_eq!(rejects("cut").len(), 3);
        assert!(chunks(world) > 5, "it was cut");
    });
}

#[test]
fn json_lines_are_cut_as_well_whatever_keys_their_rows_have() {
    on_both(|world| {
        let content = lines(ROWS)
            .replace("4001\", \"id\": 4001}", "late\", \"id\": 4001, \"note\": \"n\"}")
            .replace("\"id\": 5001}", "\"id\": 5001")
            .replace("\"id\": 5002}", "\"id\": \"x\"}");
        world.put("small/0.jsonl", "{\"id\": 1, \"text\": \"a\", \"rare\": true}\n");
        for table in ["whole", "cut"] {
            world.load("small/", &["--table", table]).exits(0);
        }
        world.put("lines/1.jsonl", content);
        let reject = ["--on-error", "reject", "--types", "frozen", "--table"];
        world.load("lines/", &[&reject[..], &["whole"]].concat()).exits(3);
        let run = world.load("lines/", &options(&[&reject[..], &["cut"]].concat())).exits(3);
        assert_eq!(run.rows(), "read 6000, loaded 5998, rejected 2");
        let rows =
            |table| world.query(&format!("SELECT id, text, note FROM {table} ORDER BY id, text"));
        assert_eq!(rows("cut"), rows("whole"));
        assert_eq!(world.query("SELECT id FROM cut WHERE note = 'n'"), ["4001"]);
        let rejects = |table| {
            world.query(&format!(
                "SELECT ordinal, line, byte_offset, reason, detail FROM rejected_rows
                 JOIN processed_files ON processed_files.id = file_id
                 WHERE target_table LIKE '%{table}' ORDER BY ordinal"
            ))
        };
        assert_eq!(rejects("cut"), rejects("whole"));
        assert_eq!(rejects("cut").len(), 2);
        assert!(chunks(world) > 5, "it was cut");
        let must = ["--missing-columns", "fail", "--table", "must"];
        world.load("small/", &["--table", "must"]).exits(0);
        world.load("lines/", &options(&must)).exits(1).says(&["chunks lack columns", "--force"]);
    });
}

#[test]
fn a_run_that_is_killed_is_completed_by_the_next() {
    on_both(|world| {
        world.put(KEY, file(ROWS));
        let mut before = 0;
        for share in [3, 7] {
            hold_behind(world, share, &Gate::new());
            world.s3.clear_requests();
            let running = started(world);
            is_held(world, share);
            running.signal("KILL");
            assert_ne!(running.end().code, Some(0));
            world.assert_ledger_agrees("processed_files");
            assert_eq!(world.statuses(), [format!("{KEY}|loading")]);
            let now = chunks(world);
            assert!(now > before, "{now} chunks are in, {before} were before");
            before = now;
        }
        world.s3.clear_hook();
        let in_before: usize = world.query("SELECT count(*) FROM orders")[0].parse().unwrap();
        let run = world.load("orders/", &OPTIONS).exits(0);
        let left = ROWS - in_before;
        assert_eq!(run.rows(), format!("read {left}, loaded {left}"));
        assert_eq!(run.files(), "loaded 1");
        assert_complete(world);
        let again = world.load("orders/", &OPTIONS).exits(0);
        assert_eq!(again.files(), "already_loaded 1");
    });
}

#[test]
fn a_run_that_is_ended_says_how_far_it_came() {
    on_both(|world| {
        world.put(KEY, file(ROWS));
        hold_behind(world, 5, &Gate::new());
        let running = started(world);
        is_held(world, 5);
        running.signal("TERM");
        let run = world.checked(running.end().exits(143));
        run.says(&["bytes are in; the next run goes on with the rest"]);
        let in_before: usize = world.query("SELECT count(*) FROM orders")[0].parse().unwrap();
        assert_eq!(run.rows(), format!("read {in_before}, loaded {in_before}"));
        assert_eq!(world.statuses(), [format!("{KEY}|loading")]);
        world.s3.clear_hook();
        world.load("orders/", &OPTIONS).exits(0);
        assert_complete(world);
    });
}

#[test]
fn two_runs_of_one_file_load_each_chunk_once() {
    on_both(|world| {
        world.put(KEY, file(ROWS));
        let gate = Gate::new();
        hold_behind(world, 4, &gate);
        let first = started(world);
        is_held(world, 4);
        world.s3.clear_hook();
        let second = world.load("orders/", &OPTIONS).exits(0);
        assert_eq!(second.files(), "loaded 1");
        assert_complete(world);
        gate.open();
        first.end().exits(0);
        assert_complete(world);
    });
}

#[test]
fn a_file_that_fails_keeps_its_chunks_until_a_newer_version_comes() {
    on_both(|world| {
        world.put("orders/0.csv", "id,text\n0,a\n");
        world.load("orders/", &[]).exits(0);
        world.put(KEY, file(ROWS).replace("\n5000,", "\nbad,"));
        let run = world.load("orders/", &OPTIONS).exits(1);
        run.says(&["`bad` is not", "bytes are in; the next run goes on with the rest"]);
        assert_eq!(run.files(), "already_loaded 1, failed 1");
        let found = world.query(&format!(
            "SELECT status, attempts, error LIKE '%bad%' FROM processed_files WHERE key = '{KEY}'"
        ));
        let yes = if world.database.is_postgres() { "t" } else { "1" };
        assert_eq!(found, [format!("loading|1|{yes}")]);
        assert!(chunks(world) > 1, "those before the bad row are in");
        let tolerant = world.load("orders/", &options(&["--on-error", "reject"])).exits(3);
        assert!(tolerant.rows().ends_with("rejected 1"), "{}", tolerant.rows());
        let count = |condition: &str| {
            world.query(&format!("SELECT count(*) FROM orders WHERE {condition}"))
        };
        assert_eq!(count("id > 0"), ["5999"]);
        world.put(KEY, file(ROWS).replace("\n5000,", "\nworse,"));
        world.load("orders/", &OPTIONS).exits(1);
        assert_eq!(count("id = 5000"), ["0"]);
        world.put(KEY, file(ROWS));
        world.load("orders/", &OPTIONS).exits(0);
        assert_eq!(count("id > 0"), [ROWS.to_string()]);
        let by_status = world.query(&format!(
            "SELECT status, count(*) FROM processed_files WHERE key = '{KEY}' GROUP BY 1 ORDER BY 1"
        ));
        assert_eq!(by_status, ["loaded|1", "superseded|2"]);
    });
}

#[test]
fn force_begins_anew_and_other_options_are_refused_without_it() {
    on_both(|world| {
        world.put(KEY, file(ROWS));
        hold_behind(world, 5, &Gate::new());
        let running = started(world);
        is_held(world, 5);
        running.signal("KILL");
        running.end();
        world.s3.clear_hook();
        let unquoted = world.load("orders/", &options(&["--quote", "none"])).exits(1);
        unquoted.says(&["does not fit how it is read now", "--force"]);
        world.load("orders/", &options(&["--force"])).exits(0);
        assert_eq!(world.query("SELECT count(*) FROM orders"), [ROWS.to_string()]);
        assert_eq!(world.statuses(), [format!("{KEY}|loaded")]);
    });
}

#[test]
fn what_cannot_be_cut_is_one_chunk_and_says_so() {
    let world = World::sqlite();
    let text: Vec<u8> = file(ROWS).encode_utf16().flat_map(u16::to_le_bytes).collect();
    world.put("wide/1.csv", [&b"\xff\xfe"[..], &text].concat());
    let elements: String = (1..=ROWS).map(|n| format!(",{{\"id\": {n}}}")).collect();
    world.put("array/1.json", format!("[{}]", &elements[1..]));
    for (folder, why) in
        [("wide", "it is not in UTF-8"), ("array", "its rows stand in one document")]
    {
        let run = world.load(&format!("{folder}/"), &OPTIONS).exits(0);
        run.says(&["loaded in one chunk", why]);
        assert_eq!(run.rows(), format!("read {ROWS}, loaded {ROWS}"));
    }
    assert_eq!(chunks(&world), 0);
}

#[test]
fn chunks_need_file_ids_and_nothing_that_is_undone() {
    let world = World::sqlite();
    world.put(KEY, file(3));
    for (option, word) in [
        (&["--no-file-id"][..], "_file_id"),
        (&["--on-error", "skip-file"], "skip-file"),
        (&["--if-exists", "replace"], "replace"),
    ] {
        let run = world.load("orders/", &options(option)).exits(2);
        run.says(&[word, "atomic"]);
    }
    world.load("orders/", &["--no-file-id"]).exits(0);
    world.load("orders/", &OPTIONS).exits(2).says(&["has no `_file_id` column", "atomic: file"]);
}
