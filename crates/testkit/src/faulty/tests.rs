//! Faults happen as they are scripted, once, and leave what they promise.

use decant_core::destination::{LoadFile, Outcome};
use decant_core::schema::ColumnType::Int64;

use super::*;
use crate::batches::{self, batch, file_id_column, load_file, plan, totals};
use crate::memory::{DEFAULT_LEDGER, MemoryDatabase};

struct Scene {
    database: MemoryDatabase,
    faulty: Arc<Faulty>,
    table: TableState,
}

async fn scene() -> Scene {
    let database = MemoryDatabase::new();
    let faulty = Faulty::new(database.destination());
    let table = TableName::parse("main.t");
    let mut columns = batches::columns(&[("a", Int64)]);
    columns.push(file_id_column());
    let change = TableChange::Create { table: table.clone(), columns };
    faulty.apply(&change, false).await.expect("the table is created");
    let table = faulty.describe(&table).await.expect("a state");
    Scene { database, faulty, table }
}

impl Scene {
    fn file(&self, key: &str) -> LoadFile {
        load_file(&self.table.name, batches::file(key))
    }

    /// Loads a file of two batches of one row.
    async fn load(&self, key: &str) -> Result<Vec<Outcome>> {
        let file = self.file(key);
        let id = file.id;
        let begun = self.faulty.begin(plan(&self.table, vec![file])).await?;
        let Begun::Ready { mut load, .. } = begun else { return Ok(vec![Outcome::SchemaChanged]) };
        let mut writer = load.writer().await?;
        writer.start_file(id, &[0, 1]).await?;
        for number in ["1", "2"] {
            let columns = [("a", Int64), ("_file_id", Int64)];
            writer.write(batch(&columns, &[&[Some(number), Some("1")]])).await?;
        }
        let part = writer.finish().await?;
        load.commit(vec![part], vec![totals(id, 2)]).await
    }

    fn committed(&self) -> (usize, usize) {
        let rows = self.database.rows(&self.table.name, &["a"]).len();
        (rows, self.database.ledger_entries(DEFAULT_LEDGER).len())
    }
}

#[tokio::test]
async fn faults_before_the_commit_happen_once_and_leave_nothing() {
    let scene = scene().await;
    let kind = ErrorKind::Unavailable;
    for fault in [Fault::Begin(kind), Fault::Write { nth: 2, kind }, Fault::CommitRefused(kind)] {
        scene.faulty.script(fault);
        let error = scene.load("a").await.expect_err("the scripted fault");
        assert_eq!(error.kind(), kind);
        assert_eq!(scene.committed(), (0, 0));
    }
    assert_eq!(scene.faulty.pending(), []);
    scene.load("a").await.expect("nothing is scripted any more");
    assert_eq!(scene.committed(), (2, 1));
}

#[tokio::test]
async fn the_nth_write_is_counted_over_loads() {
    let scene = scene().await;
    scene.faulty.script(Fault::Write { nth: 3, kind: ErrorKind::Internal });
    scene.load("a").await.expect("two writes");
    scene.load("b").await.expect_err("the third write");
    assert_eq!(scene.committed(), (2, 1));
}

#[tokio::test]
async fn a_lost_reply_has_committed_everything() {
    let scene = scene().await;
    scene.faulty.script(Fault::CommitReplyLost(ErrorKind::Unavailable));
    let error = scene.load("a").await.expect_err("the reply is lost");
    assert!(error.is_retryable());
    assert_eq!(scene.committed(), (2, 1));
}

#[tokio::test]
async fn changed_tables_and_failed_files_are_outcomes() {
    let scene = scene().await;
    scene.faulty.script(Fault::BeginSchemaChanged);
    scene.faulty.script(Fault::CommitSchemaChanged);
    for _ in 0..2 {
        let outcomes = scene.load("a").await.expect("an outcome");
        assert!(matches!(outcomes.as_slice(), [Outcome::SchemaChanged]), "{outcomes:?}");
    }
    scene.faulty.poison("bad", ErrorKind::SchemaMismatch);
    for _ in 0..2 {
        let outcomes = scene.load("bad").await.expect("an outcome");
        assert!(matches!(outcomes.as_slice(), [Outcome::Failed(_)]), "{outcomes:?}");
    }
    assert_eq!(scene.committed(), (0, 0));
    scene.load("good").await.expect("not poisoned");
    assert_eq!(scene.committed(), (2, 1));
}

#[tokio::test]
async fn a_held_commit_waits_for_its_release() {
    let scene = scene().await;
    let mut hold = scene.faulty.hold_commit();
    let test = async {
        hold.reached().await;
        assert_eq!(scene.committed(), (0, 0));
        hold.release();
    };
    let (outcomes, ()) = futures::join!(scene.load("a"), test);
    outcomes.expect("the commit went on");
    assert_eq!(scene.committed(), (2, 1));
    let calls = scene.faulty.calls();
    assert_eq!(calls[2..], [Call::Begin(vec!["a".into()]), Call::Commit(1)]);
}
