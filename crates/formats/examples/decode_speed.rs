//! How fast CSV is decoded: generates rows like TPC-H's `lineitem` in memory
//! and prints megabytes a second for each stage of typing.
//!
//! `cargo run -p decant-formats --example decode_speed -- [MEGABYTES]`

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use std::fmt::Write;
use std::ops::Range;
use std::time::Instant;

use bytes::Bytes;
use decant_core::format::{
    DecodedBatch, FileColumns, Format, Input, Piece, Receiver, SampleLimits, Target, Wishes,
};
use decant_core::schema::{ColumnType, DecimalBounds};
use decant_core::stream::FormatOptions;
use decant_core::{Error, ErrorKind, Result};
use decant_formats::csv::CsvFormat;

const CHUNK_BYTES: usize = 1 << 20;
const MONEY: ColumnType = ColumnType::Decimal(Some(DecimalBounds { precision: 15, scale: 2 }));
const COLUMNS: [(&str, ColumnType); 16] = [
    ("l_orderkey", ColumnType::Int64),
    ("l_partkey", ColumnType::Int64),
    ("l_suppkey", ColumnType::Int64),
    ("l_linenumber", ColumnType::Int64),
    ("l_quantity", ColumnType::Int64),
    ("l_extendedprice", MONEY),
    ("l_discount", MONEY),
    ("l_tax", ColumnType::Decimal(None)),
    ("l_returnflag", ColumnType::Text),
    ("l_linestatus", ColumnType::Text),
    ("l_shipdate", ColumnType::Date),
    ("l_commitdate", ColumnType::Date),
    ("l_receiptdate", ColumnType::Timestamp),
    ("l_shipinstruct", ColumnType::Text),
    ("l_shipmode", ColumnType::Text),
    ("l_comment", ColumnType::Text),
];

struct Memory(Bytes);

impl Input for Memory {
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let count = self.0.len().min(CHUNK_BYTES);
        Ok((count > 0).then(|| self.0.split_to(count)))
    }

    fn range(&mut self, _: Range<u64>) -> Result<Bytes> {
        Err(Error::new(ErrorKind::Unsupported, "no ranges here"))
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

struct Counter {
    typing: Typing,
    rows: u64,
    rejects: usize,
}

#[derive(Clone, Copy, Debug)]
enum Typing {
    Nothing,
    Text,
    Typed,
}

impl Receiver for Counter {
    fn columns(&mut self, columns: &FileColumns) -> Result<Wishes> {
        let target = |column: usize| match self.typing {
            Typing::Nothing => None,
            Typing::Text => Some(Target::new(ColumnType::Text, true)),
            Typing::Typed => Some(Target::new(COLUMNS[column].1, true)),
        };
        let targets = (0..columns.names.len()).map(target).collect();
        Ok(Wishes { targets, ..Wishes::default() })
    }

    fn batch(&mut self, decoded: DecodedBatch) -> Result<()> {
        self.rows += decoded.rows_read;
        self.rejects += decoded.rejects.len();
        Ok(())
    }
}

fn lineitem(bytes: usize) -> Result<Bytes> {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    let mut text = names.join(",");
    text.push('\n');
    let mut row = 0_u64;
    while text.len() < bytes {
        row += 1;
        let noise = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let (price, day) = (noise % 9_000_000, noise % 28 + 1);
        let comment =
            &"carefully final deposits, sleep furiously after the"[..(noise % 40) as usize];
        let quote = if comment.contains(',') { "\"" } else { "" };
        writeln!(
            text,
            "{row},{},{},{},{},{}.{:02},0.0{},0.0{},N,O,1996-03-{day:02},1996-02-{day:02},\
             1996-03-22 10:{day:02}:00,DELIVER IN PERSON,TRUCK,{quote}{comment}{quote}",
            noise % 200_000,
            noise % 10_000,
            row % 7 + 1,
            noise % 50 + 1,
            price / 100,
            price % 100,
            noise % 10,
            noise % 9,
        )
        .map_err(|cause| Error::new(ErrorKind::Internal, "cannot generate").caused_by(cause))?;
    }
    Ok(Bytes::from(text))
}

fn measure(file: &Bytes, typing: Typing) -> Result<()> {
    let format = CsvFormat::new(b',', &FormatOptions::default())?;
    let piece = Piece::whole(file.len() as u64);
    let mut counter = Counter { typing, rows: 0, rejects: 0 };
    let started = Instant::now();
    format.decode(&piece, &mut Memory(file.clone()), &mut counter)?;
    let seconds = started.elapsed().as_secs_f64();
    let megabytes = file.len() as f64 / 1e6;
    let Counter { rows, rejects, .. } = counter;
    println!("{typing:?}: {:.0} MB/s, {rows} rows, {rejects} rejects", megabytes / seconds);
    Ok(())
}

fn main() -> Result<()> {
    let megabytes = std::env::args().nth(1).and_then(|size| size.parse().ok()).unwrap_or(100);
    let file = lineitem(megabytes * 1_000_000)?;
    let format = CsvFormat::new(b',', &FormatOptions::default())?;
    let started = Instant::now();
    let sample = format.sample(&mut Memory(file.clone()), SampleLimits::default())?;
    println!("sample of {} rows: {:.1} ms", sample.rows, started.elapsed().as_secs_f64() * 1e3);
    for typing in [Typing::Nothing, Typing::Text, Typing::Typed] {
        measure(&file, typing)?;
    }
    Ok(())
}
