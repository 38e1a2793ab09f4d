//! Loads of local files into SQLite.

use std::collections::BTreeMap;
use std::fs;
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

/// decant beside SQLite's own import into a table of the same types.
pub(super) fn csv(bench: &mut Bench<'_>) -> Result<()> {
    let set = bench.set(bench.options.scaled(ROWS), &["lineitem.csv"])?;
    let file = set.path("lineitem.csv");
    let sums = set.sums(TABLE)?;
    let database = bench.scratch.join("lineitem.db");
    sqlite::remove(&database)?;
    shell::read(&mut load(bench, &file, &database, TABLE))?;
    let create = create_like(&database)?;
    let verify = |_: &Bench<'_>| {
        let found = sqlite::query(&database, SUMS)?;
        if found == sums { Ok(()) } else { Err(format!("wrong result: {found}, not {sums}")) }
    };
    let import = format!(".import --csv --skip 1 {} {TABLE}", file.display());
    let contenders = [
        Contender::new("sqlite3 .import, the same types", |_| sqlite::shell(&database, &import))
            .prepared(|_| sqlite::remove(&database))
            .prepared(|_| sqlite::query(&database, &create).map(drop))
            .checked(verify),
        Contender::new("decant", |bench| load(bench, &file, &database, TABLE))
            .prepared(|_| sqlite::remove(&database))
            .checked(verify),
    ];
    race(bench, "csv-sqlite", &contenders)
}

fn load(bench: &Bench<'_>, file: &Path, database: &Path, table: &str) -> Command {
    let mut command = Command::new(&bench.programs.decant);
    command.arg("load").arg(file).args(["--table", table, "--to"]);
    command.arg(format!("sqlite:{}", database.display()));
    command
}

/// The statement that makes decant's table without `_file_id`, which `.import`
/// could not fill.
fn create_like(database: &Path) -> Result<String> {
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
