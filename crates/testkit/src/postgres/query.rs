//! SQL as `psql` would run it, through the library: text in, text out.

use std::fmt;

use tokio_postgres::{Error, NoTls, SimpleQueryMessage};

/// Rows as the server renders them; NULL is `None`.
pub type Rows = Vec<Vec<Option<String>>>;

/// Runs statements and answers the rows of all of them.
pub(super) async fn run(url: &str, sql: &str) -> Result<Rows, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let session = async move {
        let messages = client.simple_query(sql).await?;
        drop(client);
        Ok(messages.iter().filter_map(row).collect())
    };
    let (rows, _) = futures::join!(session, connection);
    rows
}

fn row(message: &SimpleQueryMessage) -> Option<Vec<Option<String>>> {
    match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
        }
        _ => None,
    }
}

/// Runs statements on a thread of their own, so that the caller may be inside
/// of a runtime or not.
pub(super) fn blocking(url: &str, sql: &str) -> Rows {
    on_a_thread(url, sql).unwrap_or_else(|error| fail(sql, &error))
}

/// Runs statements whose failure does not matter.
pub(super) fn blocking_if_possible(url: &str, sql: &str) {
    let _ = on_a_thread(url, sql);
}

/// Runs statements that must be refused: SQLSTATE and message.
pub(super) fn refused(url: &str, sql: &str) -> (String, String) {
    match on_a_thread(url, sql) {
        Ok(rows) => panic!("`{sql}` should have been refused, but answered {rows:?}"),
        Err(error) => match error.as_db_error() {
            Some(refusal) => (refusal.code().code().to_owned(), refusal.message().to_owned()),
            None => fail(sql, &error),
        },
    }
}

/// Whether the server lets somebody in.
pub(super) fn answers(url: &str) -> bool {
    on_a_thread(url, "SELECT 1").is_ok()
}

/// Fails the test with everything that the server said.
pub(super) fn fail(sql: &str, error: &dyn fmt::Debug) -> ! {
    panic!("Postgres refused `{sql}`: {error:?}")
}

/// Rows as `psql -At` prints them.
pub(super) fn lines(rows: &Rows) -> String {
    let line = |row: &Vec<Option<String>>| {
        row.iter().map(|value| value.as_deref().unwrap_or("")).collect::<Vec<_>>().join("|")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn on_a_thread(url: &str, sql: &str) -> Result<Rows, Error> {
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime for one connection");
        runtime.block_on(run(url, sql))
    };
    std::thread::scope(|scope| scope.spawn(work).join().expect("the thread of one connection"))
}
