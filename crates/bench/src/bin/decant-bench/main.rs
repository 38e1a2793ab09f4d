//! What `cargo xtask bench` starts: data written to files, an S3 endpoint with
//! objects in it, plain GETs, and the ledger rows of files that were never
//! loaded. It measures nothing itself.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: the terminal is its output"
)]

mod data;
mod fetch;
mod ledger;
mod serve;

use std::process::ExitCode;

/// What went wrong, in a sentence.
type Result<T, E = String> = std::result::Result<T, E>;

const USAGE: &str = "\
usage: decant-bench data FOLDER ROWS NAME...
         writes sets of data: lineitem.csv, lineitem.csv.gz, lineitem.csv.zst,
         lineitem.jsonl, lineitem.parquet, lineitem-N (N files of CSV), taxi.csv,
         quoted.csv, each set with SET.sums beside it
       decant-bench serve KEY SECRET [--put PATH]... [--files N ROWS]
                         [--objects N] [--delay MILLISECONDS]
         an S3 endpoint with the bucket `bench`; prints its address, and ends
         with its standard input. Without a KEY (-) requests are not signed
       decant-bench fetch ADDRESS N CONNECTIONS
         GETs the first N of the files of `serve --files` and drops them; says
         how many bytes they had, and the seconds that it took
       decant-bench ledger ADDRESS TABLE N:ETAG
         a line for each of the objects of `serve --objects N`: id and key";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["data", folder, rows, ref names @ ..] => data::write(folder, rows, names),
        ["serve", key, secret, ref options @ ..] => serve::run(key, secret, options),
        ["fetch", address, files, connections] => fetch::run(address, files, connections),
        ["ledger", address, table, objects] => ledger::print(address, table, objects),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// A number among the arguments.
fn number<N: std::str::FromStr>(text: &str) -> Result<N> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}
