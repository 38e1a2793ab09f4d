//! Who loads into Postgres, and what their tables must hold.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Bench;
use super::contender::Contender;
use super::storage::{BUCKET, Storage};
use crate::{Result, shell};

/// A table that is loaded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    /// Its name, and that of its set of data.
    pub(super) name: &'static str,
    /// Its columns, as COPY wants them.
    columns: &'static str,
    /// What Postgres says of its sums, whatever types its columns have.
    sums: &'static str,
}

/// Order lines.
pub(super) const LINEITEM: Target = Target {
    name: "lineitem",
    columns: "l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,\
              l_discount,l_tax,l_returnflag,l_linestatus,l_shipdate,l_commitdate,\
              l_receiptdate,l_shipinstruct,l_shipmode,l_comment",
    sums: "count(*), sum(l_orderkey::bigint), sum(l_partkey::bigint), \
           sum(round(l_extendedprice::numeric * 100)), sum(round(l_tax::numeric * 100)), \
           sum(l_shipdate::date - date '1970-01-01'), \
           sum(l_receiptdate::date - date '1970-01-01'), sum(length(l_comment))",
};

/// Reviews.
pub(super) const QUOTED: Target = Target {
    name: "quoted",
    columns: "review_id,product,author,body,stars",
    sums: "count(*), sum(review_id::bigint), sum(stars::bigint), sum(length(body))",
};

/// Taxi trips.
pub(super) const TAXI: Target = Target {
    name: "taxi",
    columns: "vendor_id,pickup_at,dropoff_at,passenger_count,trip_distance,rate_code,\
              store_and_fwd,pickup_zone,dropoff_zone,payment_type,fare,extra,tip,tolls,\
              congestion,total",
    sums: "count(*), count(passenger_count), sum(passenger_count::bigint), \
           sum(round(fare::numeric * 100)), sum(round(total::numeric * 100)), \
           sum(extract(epoch from pickup_at::timestamp)::bigint), count(store_and_fwd)",
};

/// What one measurement loads, from where, and what must come out.
#[derive(Clone, Copy)]
pub(super) struct Load<'l> {
    /// The table.
    pub(super) target: Target,
    /// Its sums, as they must be.
    pub(super) sums: &'l str,
    /// The endpoint.
    pub(super) storage: &'l Storage,
}

/// The table as decant makes it, for those who load into a table that is there.
pub(super) struct Reference {
    schema: PathBuf,
    binary: PathBuf,
}

impl<'l> Load<'l> {
    /// decant, loading a key (a folder's name ends in `/`), with more options.
    pub(super) fn decant(self, name: &str, key: &'l str, more: &'l [&'l str]) -> Contender<'l> {
        let command = move |bench: &Bench<'_>| {
            let mut command = bench.decant(self.storage, key, self.target.name);
            command.args(["--to", &bench.postgres.url()]).args(more);
            command
        };
        self.emptied(Contender::new(name, command))
    }

    /// The tools of Python's world that load this format, each into a table of
    /// its own making.
    pub(super) fn peers(
        self,
        bench: &Bench<'_>,
        format: &'l str,
        key: &'l str,
    ) -> Vec<Contender<'l>> {
        let tools: [(&str, &str, &[&str], u32); 4] = [
            (
                "duckdb (httpfs, postgres)",
                "duckdb",
                &["duckdb", "duckdb-extension-httpfs", "duckdb-extension-postgres-scanner"],
                u32::MAX,
            ),
            ("pyarrow, ADBC", "pyarrow", &["pyarrow", "adbc-driver-postgresql"], u32::MAX),
            ("polars, ADBC", "polars", &["polars", "adbc-driver-postgresql"], u32::MAX),
            ("dlt", "dlt", &["dlt", "psycopg2-binary", "s3fs"], 1),
        ];
        let mut peers: Vec<Contender<'l>> = tools
            .into_iter()
            .map(|(name, tool, packages, runs)| {
                let command =
                    move |bench: &Bench<'_>| bench.loader(tool, format, key, self.target.name);
                let peer = Contender::new(name, command).at_most(runs);
                self.emptied(peer.unless(bench.peers.lacks(packages)))
            })
            .collect();
        let sling = move |bench: &Bench<'_>| {
            bench.sling(&self.storage.address, format, key, self.target.name)
        };
        let sling = Contender::new("sling", sling).at_most(1);
        peers.push(self.emptied(sling.unless(bench.peers.lacks(&["sling-linux-amd64"]))));
        peers
    }

    /// `psql \copy` of rows that are ready in COPY BINARY: as fast as the table
    /// takes them.
    pub(super) fn limit(self, reference: &'l Reference) -> Contender<'l> {
        let copy = format!(
            "\\copy {} FROM '{}' (FORMAT binary)",
            self.target.name,
            reference.binary.display()
        );
        self.into_reference(reference, Contender::new(LIMIT, move |bench| psql(bench, &copy)))
    }

    /// `psql \copy` of a local file of CSV.
    pub(super) fn psql_csv(self, reference: &'l Reference, file: &Path) -> Contender<'l> {
        let Target { name, columns, .. } = self.target;
        let file = file.display();
        let copy = format!("\\copy {name} ({columns}) FROM '{file}' (FORMAT csv, HEADER)");
        let csv = Contender::new("psql \\copy, local CSV", move |bench| psql(bench, &copy));
        self.into_reference(reference, csv)
    }

    /// A Python program that hands the object's bytes to COPY as they come.
    pub(super) fn python_copy(
        self,
        bench: &Bench<'_>,
        reference: &'l Reference,
        key: &'l str,
    ) -> Contender<'l> {
        let command = move |bench: &Bench<'_>| {
            let mut command = bench.loader("psycopg", "csv", key, self.target.name);
            command.env("BENCH_COLUMNS", self.target.columns);
            command
        };
        let python = Contender::new("Python, streaming COPY", command);
        let lacks = bench.peers.lacks(&["psycopg2-binary", "pyarrow"]);
        self.into_reference(reference, python.unless(lacks))
    }

    /// Loads once with decant and keeps what came out.
    pub(super) fn reference(self, bench: &Bench<'_>, key: &str) -> Result<Reference> {
        let name = self.target.name;
        let reference = Reference {
            schema: bench.scratch.join(format!("{name}.sql")),
            binary: bench.scratch.join(format!("{name}.copy")),
        };
        bench.postgres.renew()?;
        let mut load = bench.decant(self.storage, key, name);
        self.storage.tell(&mut load);
        shell::read(load.args(["--to", &bench.postgres.url()]))?;
        self.verify(bench)?;
        let mut dump = bench.postgres.client("pg_dump");
        dump.args(["--schema-only", "--no-owner", "--table", name, "--file"]);
        shell::read(dump.arg(&reference.schema))?;
        let file = reference.binary.display();
        shell::read(&mut psql(bench, &format!("\\copy {name} TO '{file}' (FORMAT binary)")))?;
        Ok(reference)
    }

    fn emptied(self, contender: Contender<'l>) -> Contender<'l> {
        let renewed = contender.from(self.storage).prepared(|bench| bench.postgres.renew());
        renewed.checked(move |bench| self.verify(bench))
    }

    fn into_reference(self, reference: &'l Reference, contender: Contender<'l>) -> Contender<'l> {
        let renewed = contender
            .from(self.storage)
            .prepared(|bench| bench.postgres.renew_with(&reference.schema));
        renewed.checked(move |bench| self.verify(bench))
    }

    /// Whether the table holds what it must.
    pub(super) fn verify(self, bench: &Bench<'_>) -> Result<()> {
        let Target { name, sums, .. } = self.target;
        let found = bench.postgres.query(&format!("SELECT {sums} FROM {name}"))?;
        if found == self.sums {
            return Ok(());
        }
        Err(format!("wrong result: the table's sums are {found} and not {}", self.sums))
    }
}

/// The name of the contender that all others are compared with.
pub(super) const LIMIT: &str = "psql \\copy, COPY BINARY (the limit)";

impl Bench<'_> {
    /// decant loading one key into a table, to be completed.
    pub(super) fn decant(&self, storage: &Storage, key: &str, table: &str) -> Command {
        let mut command = Command::new(&self.programs.decant);
        command.args(["load", &format!("s3://{BUCKET}/{key}"), "--table", table]);
        command.args(["--endpoint", &storage.address]);
        command
    }
}

fn psql(bench: &Bench<'_>, statement: &str) -> Command {
    let mut command = bench.postgres.client("psql");
    command.args(["-qX", "-v", "ON_ERROR_STOP=1", "-c", statement]);
    command
}
