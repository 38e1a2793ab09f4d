//! The fixture keeps what it promises.

use std::process::{Command, Stdio};

use super::*;

#[test]
fn each_test_has_an_empty_database_of_its_own() {
    let one = PostgresServer::shared().database();
    let other = PostgresServer::shared().database();
    one.psql("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (NULL)");
    assert_eq!(one.psql("SELECT a, 'x' FROM t ORDER BY a"), "1|x\n|x");
    assert_eq!(other.refuses("SELECT a FROM t").0, "42P01");
    let name = one.name.clone();
    drop(one);
    let databases = PostgresServer::shared().psql("SELECT datname FROM pg_database");
    assert!(!databases.lines().any(|line| line == name), "{databases}");
}

#[tokio::test]
async fn it_can_be_used_inside_a_runtime() {
    let database = PostgresServer::shared().database();
    assert_eq!(database.psql("SELECT 1"), "1");
    assert_eq!(database.query("SELECT NULL").await, [[None]]);
}

#[test]
fn a_wrong_password_is_refused_over_tcp_and_none_is_needed_at_the_socket() {
    let server = PostgresServer::shared();
    let wrong = server.url("postgres").replace(PASSWORD, "guess");
    assert_eq!(query::refused(&wrong, "SELECT 1").0, "28P01");
    assert!(query::answers(&server.socket_url("postgres")));
}

#[test]
fn committed_rows_survive_stop_and_kill() {
    let server = PostgresServer::start_new();
    let database = server.database();
    database.psql("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    server.stop();
    assert!(!query::answers(&database.url));
    server.start();
    database.psql("INSERT INTO t VALUES (2)");
    server.kill();
    assert!(!query::answers(&database.url));
    server.start();
    assert_eq!(database.psql("SELECT a FROM t ORDER BY a"), "1\n2");
}

#[test]
fn a_server_with_tls_has_a_certificate_that_its_authority_signed() {
    let server = PostgresServer::start_with_tls();
    let ca_file = server.ca_file().expect("an authority");
    assert_eq!(server.psql("SHOW ssl"), "on");
    let verified = Command::new("openssl")
        .args(["verify", "-verify_hostname", "localhost", "-CAfile"])
        .arg(ca_file)
        .arg(ca_file.with_file_name("server.crt"))
        .output()
        .expect("openssl");
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn dropping_the_last_handle_ends_the_server_and_removes_its_folder() {
    let server = PostgresServer::start_new();
    let folder = server.socket_folder().to_owned();
    let url = server.url("postgres");
    drop(server);
    assert!(!query::answers(&url));
    assert!(!folder.exists());
}

const CHILD: &str = "DECANT_TESTKIT_CHILD_HOLDS_A_SERVER";

/// Run by the next test, in a process of its own that is then killed.
#[test]
fn child_process_holds_a_server() {
    if std::env::var_os(CHILD).is_none() {
        assert!(query::answers(&PostgresServer::shared().url("postgres")));
        return;
    }
    let server = PostgresServer::start_new();
    println!("\nfolder {}", server.socket_folder().display());
    loop {
        std::thread::park();
    }
}

#[test]
fn a_killed_test_process_takes_its_server_and_folder_along() {
    use std::io::{BufRead as _, BufReader};
    let mut child = Command::new(std::env::current_exe().expect("this test's program"))
        .args(["--exact", "--nocapture", "postgres::tests::child_process_holds_a_server"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test's program starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let folder = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("folder ").map(PathBuf::from))
        .expect("the child's server");
    assert!(folder.join("data/postmaster.pid").exists());
    child.kill().expect("SIGKILL");
    child.wait().expect("the child's end");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while folder.exists() {
        assert!(std::time::Instant::now() < deadline, "{} is still there", folder.display());
        std::thread::yield_now();
    }
}
