//! Loads of local files into SQLite.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use super::ROWS;
use crate::bench::contender::{Contender, race};
use crate::bench::{Bench, sqlite};
use crate::{Result, shell};

const TABLE: &str = "lineitem";

/// What SQLite says of the sums of order lines.
const SUMS: &str = "SELECT count(*), sum(l_orderkey), sum(l_partkey), \
     sum(cast(round(l_extendedprice * 100) AS INTEGER)), \
     sum(cast(round(l_tax * 100) AS INTEGER)), \
     sum(cast(julianday(l_shipdate) - 2440587.5 AS INTEGER)), \
     sum(cast(julianday(l_receiptdate) - 2440587.5 AS INTEGER)), \
     sum(length(l_comment)) FROM lineitem";

/// How many tiny loads are counted together.
const TINY_LOADS: u32 = 50;
const TINY: &str = "id,name,amount\n1,one,1.5\n2,two,2.5\n3,three,3.5\n";

/// SQLite's import into the very table that decant makes.
pub(in crate::bench) const SAME_TABLE: &str = "sqlite3 .import, the same table and index";
/// SQLite's import into less than that.
pub(in crate::bench) const BARE_TABLE: &str = "sqlite3 .import, a bare table";

/// decant beside SQLite's own import: into the same table, from a file whose
/// rows have their `_file_id` already, and into a table of the same types that
/// has neither that column nor an index.
pub(super) fn csv(bench: &mut Bench<'_>) -> Result<()> {
    let set = bench.set(bench.options.scaled(ROWS), &["lineitem.csv"])?;
    let file = set.path("lineitem.csv");
    let sums = set.sums(TABLE)?;
    let database = bench.scratch.join("lineitem.db");
    sqlite::remove(&database)?;
    shell::read(&mut load(bench, &file, &database, TABLE))?;
    let (same, bare) = (sqlite::query(&database, CREATED)?, create_bare(&database)?);
    let with_ids = bench.scratch.join("lineitem-with-ids.csv");
    let id = sqlite::query(&database, "SELECT DISTINCT _file_id FROM lineitem")?;
    add_column(&file, &with_ids, "_file_id", &id)?;
    let verify = |_: &Bench<'_>| {
        let found = sqlite::query(&database, SUMS)?;
        if found == sums { Ok(()) } else { Err(format!("wrong result: {found}, not {sums}")) }
    };
    let import = |name: &str, file: &Path, create: &str| {
        let import = format!(".import --csv --skip 1 {} {TABLE}", file.display());
        let (create, database) = (create.to_owned(), database.clone());
        let into = database.clone();
        Contender::new(name, move |_| sqlite::shell(&database, &import)).prepared(move |_| {
            sqlite::remove(&into)?;
            sqlite::query(&into, &create).map(drop)
        })
    };
    let contenders = [
        import(SAME_TABLE, &with_ids, &same).checked(verify),
        import(BARE_TABLE, &file, &bare).checked(verify),
        Contender::new("decant", |bench| load(bench, &file, &database, TABLE))
            .prepared(|_| sqlite::remove(&database))
            .checked(verify),
    ];
    race(bench, "csv-sqlite", &contenders)
}

/// The statements that made decant's table and its index.
const CREATED: &str =
    "SELECT group_concat(sql, '; ') FROM sqlite_master WHERE tbl_name = 'lineitem'";

/// The same lines with one value more in each, under a header of its own.
fn add_column(from: &Path, to: &Path, name: &str, value: &str) -> Result<()> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    let mut lines = BufReader::new(fs::File::open(from).map_err(failed(from))?);
    let mut out = BufWriter::new(fs::File::create(to).map_err(failed(to))?);
    let (mut line, mut added) = (String::new(), name);
    while lines.read_line(&mut line).map_err(failed(from))? > 0 {
        writeln!(out, "{},{added}", line.trim_end_matches('\n')).map_err(failed(to))?;
        line.clear();
        added = value;
    }
    out.flush().map_err(failed(to))
}

fn load(bench: &Bench<'_>, file: &Path, database: &Path, table: &str) -> Command {
    let mut command = Command::new(&bench.programs.decant);
    command.arg("load").arg(file).args(["--table", table, "--to"]);
    command.arg(format!("sqlite:{}", database.display()));
    command
}

/// The statement that makes decant's table without `_file_id`.
fn create_bare(database: &Path) -> Result<String> {
    let columns = "SELECT '\"' || name || '\" ' || type FROM pragma_table_info('lineitem') \
                   WHERE name <> '_file_id'";
    let columns = sqlite::query(database, columns)?.replace('\n', ", ");
    Ok(format!("CREATE TABLE {TABLE} ({columns})"))
}

/// One tiny file, many times over, each into a database of its own.
pub(super) fn tiny(bench: &mut Bench<'_>) -> Result<()> {
    let file = bench.scratch.join("tiny.csv");
    fs::write(&file, TINY).map_err(|error| format!("{}: {error}", file.display()))?;
    let folder = bench.scratch.join("tiny");
    let database = |number: u32| folder.join(format!("{number}.db"));
    let contender = Contender::new("decant", |bench| many_loads(bench, &file, &folder))
        .prepared(|_| empty(&folder))
        .checked(|_| {
            let last = database(TINY_LOADS - 1);
            let found = sqlite::query(&last, "SELECT count(*), sum(amount) FROM tiny")?;
            if found == "3|7.5" { Ok(()) } else { Err(format!("wrong result: {found}")) }
        })
        .read(|_, _, cost| {
            let milliseconds = cost.cpu * 1e3 / f64::from(TINY_LOADS);
            Ok(BTreeMap::from([("CPU ms a load".to_owned(), milliseconds)]))
        });
    race(bench, "tiny-load", &[contender])
}

fn many_loads(bench: &Bench<'_>, file: &Path, folder: &Path) -> Command {
    let script = format!(
        "i=0; while [ $i -lt {TINY_LOADS} ]; do \"$1\" load \"$2\" --table tiny \
         --to \"sqlite:$3/$i.db\" >/dev/null || exit 1; i=$((i+1)); done"
    );
    let mut command = Command::new("sh");
    command.args(["-c", &script, "loads"]).arg(&bench.programs.decant).arg(file).arg(folder);
    command
}

fn empty(folder: &Path) -> Result<()> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_gets_the_value_and_the_header_its_name() {
        let folder = std::env::temp_dir().join(format!("decant-lines-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (from, to) = (folder.join("from.csv"), folder.join("to.csv"));
        fs::write(&from, "a,b\n1,2\n3,4\n").unwrap();
        add_column(&from, &to, "id", "7").unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "a,b,id\n1,2,7\n3,4,7\n");
        fs::remove_dir_all(&folder).unwrap();
    }
}
