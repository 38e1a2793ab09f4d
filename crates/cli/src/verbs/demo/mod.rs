//! `decant demo`: the main job on bundled files, with nothing to install: an
//! S3 endpoint on loopback, a sync into SQLite, and a second one that finds
//! nothing new.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use decant::Pipeline;
use decant::config::{Document, Environment, Overrides, Vocabulary};
use decant::core::{Error, ErrorKind, Result};
use decant::engine::NoObserver;
use decant::sqlite::show;
use decant_s3_memory::{MemoryS3, Options};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::print;
use crate::report::describe;
use crate::table::lay_out;

const FOLDER: &str = "decant-demo";
const DATABASE: &str = "decant-demo/demo.db";
const CONFIGURATION: &str = include_str!("decant.yaml");
const ROWS_SHOWN: usize = 3;

/// Runs the demo in the current folder.
pub(crate) async fn run(interrupt: &Interrupt) -> Result<Exit> {
    start_afresh()?;
    let bucket = MemoryS3::start(Options::default())
        .await
        .map_err(|error| io_error("cannot listen on this machine's loopback", error))?;
    upload(&bucket)?;
    print(&format!(
        "A bucket with {} objects is served at {}.\n\n$ cat {FOLDER}/decant.yaml\n{CONFIGURATION}\n",
        bucket.keys("shop").len(),
        bucket.endpoint()
    ))?;
    for title in ["$ decant sync", "\n$ decant sync    # again: nothing is new"] {
        print(&format!("{title}\n"))?;
        print(&sync(&bucket, interrupt).await?)?;
        if let Some(exit) = interrupt.exit() {
            return Ok(exit);
        }
    }
    print(&first_rows()?)?;
    print(&what_to_try_next())?;
    Ok(Exit::Ok)
}

/// The endpoint has another port each time, and with it the files another
/// identity: the database of an earlier demo would get them twice.
fn start_afresh() -> Result<()> {
    std::fs::create_dir_all(FOLDER)
        .map_err(|error| io_error(&format!("cannot make the folder {FOLDER}"), error))?;
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = format!("{DATABASE}{ending}");
        if Path::new(&path).exists() {
            std::fs::remove_file(&path)
                .map_err(|error| io_error(&format!("cannot remove {path}"), error))?;
        }
    }
    std::fs::write(format!("{FOLDER}/decant.yaml"), CONFIGURATION)
        .map_err(|error| io_error(&format!("cannot write into the folder {FOLDER}"), error))
}

fn upload(bucket: &MemoryS3) -> Result<()> {
    let packed = gzip(include_bytes!("files/orders-2026-02.csv"))
        .map_err(|error| io_error("cannot compress a bundled file", error))?;
    let files: [(&str, &[u8]); 6] = [
        ("landing/customers/customers.tsv", include_bytes!("files/customers.tsv")),
        ("landing/orders/2026-01.csv", include_bytes!("files/orders-2026-01.csv")),
        ("landing/orders/2026-02.csv.gz", &packed),
        ("landing/orders/march orders.csv", include_bytes!("files/orders-2026-03.csv")),
        ("landing/orders/_SUCCESS", b""),
        ("landing/readings/roof.csv", include_bytes!("files/readings.csv")),
    ];
    bucket.create_bucket("shop");
    for (key, bytes) in files {
        bucket.put("shop", key, bytes.to_vec());
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

async fn sync(bucket: &MemoryS3, interrupt: &Interrupt) -> Result<String> {
    let environment = Environment::of([("DECANT_DEMO_ENDPOINT", bucket.endpoint())]);
    let file = format!("{FOLDER}/decant.yaml");
    let document = Document::parse(&file, CONFIGURATION, None, &environment)?;
    let settings = document.settings(&Overrides::default(), &Vocabulary::default())?;
    let pipeline = Pipeline::open(settings).await?;
    let report = pipeline.run(Arc::new(NoObserver), interrupt.stop(), true).await;
    Ok(describe(&report))
}

fn first_rows() -> Result<String> {
    let mut text = String::new();
    for (table, query) in [
        ("customers", "SELECT customer_id, name, city, signed_up, newsletter FROM customers"),
        ("orders", "SELECT order_id, customer_id, placed_at, amount, zip, note FROM orders"),
        ("readings", "SELECT sensor, taken_at, celsius, humidity FROM readings"),
        (
            "rejected_rows",
            "SELECT line, column_name, detail, CAST(raw AS TEXT) AS raw FROM rejected_rows",
        ),
    ] {
        let shown = show(DATABASE, &format!("{query} LIMIT {ROWS_SHOWN}"))?;
        let heading: Vec<&str> = shown.heading.iter().map(String::as_str).collect();
        let _ = write!(text, "\n{table}\n{}", lay_out(&heading, &shown.rows));
    }
    Ok(text)
}

fn what_to_try_next() -> String {
    let program = std::env::args().next().unwrap_or_else(|| "decant".into());
    format!(
        "\nTry next:\n  {program} rejects --to sqlite:{DATABASE}\n  \
         {program} history --to sqlite:{DATABASE}\n  \
         {program} load ./your-file.csv --to sqlite:my.db\n  \
         {program} load s3://YOUR-BUCKET/folder/ --to sqlite:my.db\n"
    )
}

fn io_error(message: &str, error: std::io::Error) -> Error {
    let kind = match error.kind() {
        std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, message).caused_by(error)
}
