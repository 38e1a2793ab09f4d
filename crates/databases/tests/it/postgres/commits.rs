//! COMMITs whose answer is lost: the outcome is what the database says, never
//! a guess.
//!
//! Between decant and the server stands a relay that cuts the connection when
//! it is armed and sees COMMIT go by.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use decant_core::destination::{Destination, Outcome};
use decant_core::error::ErrorKind;
use decant_core::ledger::Status;
use decant_core::schema::{ColumnType, FILE_ID_COLUMN};
use decant_testkit::batches::{plan, totals};
use decant_testkit::postgres::PostgresServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::{Postgres, begin, create, file, numbers, open};

const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// When the connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Cut {
    Never,
    /// The server never hears of the COMMIT.
    Before,
    /// The server hears of it, and its answer is lost.
    After,
    /// The server hears of it, and nobody waits for what it does.
    Meanwhile,
}

#[derive(Clone)]
struct Relay {
    armed: Arc<AtomicU8>,
    cut: Arc<Notify>,
    port: u16,
}

impl Relay {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicU8::new(Cut::Never as u8));
        let relay = Self { armed, cut: Arc::new(Notify::new()), port };
        let cuts = relay.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", server)).await;
                if let Ok(server) = server {
                    tokio::spawn(cuts.clone().carry(client, server));
                }
            }
        });
        relay
    }

    fn arm(&self, cut: Cut) {
        self.armed.store(cut as u8, Ordering::SeqCst);
    }

    /// What is to be done about this COMMIT; the next goes through.
    fn fire(&self) -> u8 {
        self.armed.swap(Cut::Never as u8, Ordering::SeqCst)
    }

    async fn carry(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut asked, mut answered) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        loop {
            tokio::select! {
                Ok(count) = client.read(&mut asked) => {
                    if count == 0 {
                        return;
                    }
                    let is_commit = asked[..count].ends_with(COMMIT);
                    let cut = if is_commit { self.fire() } else { Cut::Never as u8 };
                    if cut == Cut::Before as u8 || server.write_all(&asked[..count]).await.is_err() {
                        return;
                    }
                    if cut == Cut::After as u8 {
                        assert!(server.read(&mut answered).await.unwrap() > 0);
                    }
                    if cut != Cut::Never as u8 {
                        self.cut.notify_one();
                        return;
                    }
                }
                Ok(count) = server.read(&mut answered) => {
                    if count == 0 || client.write_all(&answered[..count]).await.is_err() {
                        return;
                    }
                }
                else => return,
            }
        }
    }
}

/// Loads three rows of `key` and cuts at the COMMIT.
async fn load_and_cut(
    destination: &Arc<dyn Destination>,
    relay: &Relay,
    key: &str,
    cut: Cut,
) -> Outcome {
    let table = super::describe(destination, "t").await;
    let file = file(&table, key);
    let mut load = begin(destination, plan(&table, vec![file.clone()])).await.unwrap();
    let mut writer = load.writer().await.unwrap();
    let schema = table.schema.as_ref().unwrap();
    let columns = ["n", FILE_ID_COLUMN].map(|name| schema.position(name).unwrap());
    writer.start_file(file.id, &columns).await.unwrap();
    writer.write(numbers(&file, "n", 0..3)).await.unwrap();
    let part = writer.finish().await.unwrap();
    relay.arm(cut);
    let outcomes = load.commit(vec![part], vec![totals(file.id, 3)]).await.unwrap();
    outcomes.into_iter().next().unwrap()
}

fn rerouted(url: &str, from: u16, to: u16) -> String {
    format!("{}?sslmode=disable", url.replace(&format!(":{from}/"), &format!(":{to}/")))
}

async fn check(cut: Cut, committed: Option<bool>) {
    let fixture = Postgres::new();
    let server = PostgresServer::shared().port();
    let relay = Relay::start(server).await;
    let destination = open(&rerouted(&fixture.database.url, server, relay.port)).await.unwrap();
    create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let outcome = load_and_cut(&destination, &relay, "a.csv", cut).await;
    let rows = fixture.database.query("SELECT count(*) FROM t").await[0][0].clone().unwrap();
    let statuses = fixture.database.query("SELECT status FROM processed_files").await;
    match &outcome {
        Outcome::Committed => {
            assert_eq!((rows.as_str(), statuses.len()), ("3", 1));
        }
        Outcome::Failed(error) => {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert_eq!((rows.as_str(), statuses.len()), ("0", 0));
        }
        other => panic!("{other:?}"),
    }
    if let Some(committed) = committed {
        assert_eq!(matches!(outcome, Outcome::Committed), committed, "{outcome:?}");
    }
    let outcome = load_and_cut(&destination, &relay, "b.csv", Cut::Never).await;
    assert!(matches!(outcome, Outcome::Committed), "the next load goes on: {outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_took_place() {
    check(Cut::After, Some(true)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_never_arrives_did_not_take_place() {
    check(Cut::Before, Some(false)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_nobody_waits_for_is_told_as_it_went() {
    for _ in 0..4 {
        check(Cut::Meanwhile, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_at_the_commit_is_asked_when_it_is_back() {
    let server = PostgresServer::start_new();
    let database = server.database();
    let relay = Relay::start(server.port()).await;
    let url = rerouted(&database.url, server.port(), relay.port);
    let destination = open(&url).await.unwrap();
    create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let restarted = server.clone();
    let cut = Arc::clone(&relay.cut);
    let crash = tokio::spawn(async move {
        cut.notified().await;
        tokio::task::spawn_blocking(move || {
            restarted.kill();
            restarted.start();
        })
        .await
        .unwrap();
    });
    let outcome = load_and_cut(&destination, &relay, "a.csv", Cut::After).await;
    crash.await.unwrap();
    let entries = destination.ledger().loaded("public.t").await;
    let rows = database.query("SELECT count(*) FROM t").await[0][0].clone().unwrap();
    match outcome {
        Outcome::Committed => assert_eq!((rows.as_str(), entries.unwrap().len()), ("3", 1)),
        Outcome::Failed(error) => {
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(rows, "0");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_killed_in_the_middle_leaves_nothing() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let table = create(&destination, "t", &[("n", ColumnType::Int64)]).await;
    let file = file(&table, "a.csv");
    let mut load = begin(&destination, plan(&table, vec![file.clone()])).await.unwrap();
    let mut writer = load.writer().await.unwrap();
    let schema = table.schema.as_ref().unwrap();
    let columns = ["n", FILE_ID_COLUMN].map(|name| schema.position(name).unwrap());
    writer.start_file(file.id, &columns).await.unwrap();
    writer.write(numbers(&file, "n", 0..3)).await.unwrap();
    fixture
        .database
        .query(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
             WHERE application_name = 'decant' AND datname = current_database()",
        )
        .await;
    let error = writer.finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    let outcomes = load.commit(vec![], vec![totals(file.id, 3)]).await.unwrap();
    assert!(matches!(outcomes[..], [Outcome::Failed(_)]), "{outcomes:?}");
    super::load(&destination, &table, "a.csv", vec![numbers(&file, "n", 0..2)]).await.unwrap();
    let history = destination.ledger().history(&Default::default()).await.unwrap();
    assert_eq!((history.len(), history[0].status), (1, Status::Loaded));
    assert_eq!(fixture.database.query("SELECT count(*) FROM t").await[0][0].as_deref(), Some("2"));
}
