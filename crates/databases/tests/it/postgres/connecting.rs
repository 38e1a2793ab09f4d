//! Who is let in, how, and what is said to those who are not.

use decant_core::error::ErrorKind;
use decant_core::schema::ColumnType;
use decant_testkit::postgres::{PASSWORD, PostgresOptions, PostgresServer, USER};

use super::{Postgres, assert_no_secret, create, open};

async fn refused(url: &str) -> decant_core::Error {
    open(url).await.err().expect("nobody is let in")
}

/// How the connections of decant to this server are encrypted.
fn encrypted(server: &PostgresServer) -> String {
    server.psql(
        "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
         WHERE application_name = 'decant'",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_with_the_places_to_put_a_right_one() {
    let fixture = Postgres::new();
    let url = fixture.database.url.replace(PASSWORD, "wrong-horse");
    let error = refused(&url).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("PGPASSWORD") && hint.contains(".pgpass"), "{hint}");
    assert_no_secret(&error, "wrong-horse");
    let error = refused(&url.replace(":wrong-horse", "")).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_file_is_asked() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Postgres::new();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pass");
    std::fs::write(&path, format!("*:*:{}:{USER}:{PASSWORD}\n", fixture.database.name)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let without = fixture.database.url.replace(&format!(":{PASSWORD}"), "");
    let url = format!("{without}?passfile={}", path.display());
    open(&url).await.unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(refused(&url).await.kind(), ErrorKind::AccessDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_is_named() {
    let server = PostgresServer::start_new();
    let url = server.url("postgres");
    server.stop();
    let error = refused(&url).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains(&format!("127.0.0.1:{}", server.port())), "{error}");
    assert_no_secret(&error, PASSWORD);
    server.start();
    open(&url).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_or_role_that_does_not_exist_is_named() {
    let server = PostgresServer::shared();
    let error = refused(&server.url("nowhere")).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.hint().unwrap().contains("`nowhere`"));
    let error = refused(&server.socket_url("postgres").replace("//decant@", "//nobody@")).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
    assert!(error.hint().unwrap().contains("`nobody`"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_host_is_tried_when_one_is_down() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fixture = Postgres::new();
    let port = PostgresServer::shared().port();
    let hosts = format!("{dead},127.0.0.1:{port}");
    let url = fixture.database.url.replace(&format!("127.0.0.1:{port}"), &hosts);
    let destination = open(&url).await.unwrap();
    create(&destination, "t", &[("a", ColumnType::Text)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_and_driver_suffixes_are_understood() {
    let server = PostgresServer::shared();
    open(&server.socket_url("postgres")).await.unwrap();
    let folder = server.socket_folder().display();
    let port = server.port();
    open(&format!("postgresql+psycopg2://{USER}@/postgres?host={folder}&port={port}"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_used_only_where_that_is_allowed() {
    let url = PostgresServer::shared().url("postgres");
    for mode in ["disable", "allow", "prefer"] {
        open(&format!("{url}?sslmode={mode}")).await.unwrap();
    }
    for mode in ["require", "verify-ca", "verify-full"] {
        let error = refused(&format!("{url}?sslmode={mode}")).await;
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{mode}: {error:?}");
        assert!(error.hint().unwrap().contains("sslmode=disable"), "{mode}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sslmode_keeps_its_promise() {
    let server = PostgresServer::start_with_tls();
    let ca = server.ca_file().unwrap().display().to_string();
    let url = server.url("postgres");
    for (mode, ssl) in [
        ("disable", "f"),
        ("allow", "f"),
        ("prefer", "t"),
        ("require", "t"),
        (&format!("require&sslrootcert={ca}"), "t"),
        (&format!("verify-ca&sslrootcert={ca}"), "t"),
        (&format!("verify-full&sslrootcert={ca}"), "t"),
    ] {
        let destination = open(&format!("{url}?sslmode={mode}")).await.unwrap();
        assert_eq!(encrypted(&server), ssl, "{mode}");
        drop(destination);
        while !encrypted(&server).is_empty() {
            tokio::task::yield_now().await;
        }
    }
    let by_name = url.replace("127.0.0.1", "localhost");
    open(&format!("{by_name}?sslmode=verify-full&sslrootcert={ca}")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_cannot_be_verified_are_refused_with_the_cure() {
    let server = PostgresServer::start_with_tls();
    let other = PostgresServer::start_with_tls();
    let url = server.url("postgres");
    let ca = other.ca_file().unwrap().display().to_string();
    for mode in [
        "verify-ca".to_owned(),
        "verify-full".to_owned(),
        "sslrootcert=system".to_owned(),
        format!("verify-full&sslrootcert={ca}"),
        format!("require&sslrootcert={ca}"),
    ] {
        let mode = if mode.contains("system") { mode } else { format!("sslmode={mode}") };
        let url = format!("{url}?{mode}");
        let answer = open(&url).await.err();
        let error = answer.unwrap_or_else(|| panic!("{mode} lets anybody in"));
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{mode}: {error:?}");
        assert!(error.hint().unwrap().contains("sslrootcert"), "{mode}: {error:?}");
        assert_no_secret(&error, PASSWORD);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_host_is_refused() {
    let server = PostgresServer::start_with(&PostgresOptions {
        tls: true,
        settings: "listen_addresses = '127.0.0.1,127.0.0.2'".into(),
    });
    let ca = server.ca_file().unwrap().display();
    let url = server.url("postgres").replace("127.0.0.1", "127.0.0.2");
    let error = refused(&format!("{url}?sslmode=verify-full&sslrootcert={ca}")).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied);
    assert!(error.hint().unwrap().contains("verify-ca"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_certificate_file_is_named() {
    let url = PostgresServer::shared().url("postgres");
    let error = refused(&format!("{url}?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem")).await;
    assert_eq!(error.kind(), ErrorKind::InvalidConfig);
    assert!(error.message().contains("/nowhere/ca.pem"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_connections_left_is_told_so() {
    let server = PostgresServer::shared();
    server.psql("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0");
    let error = refused(&server.socket_url("postgres").replace("//decant@", "//crowded@")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.hint().unwrap().contains("connections"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_only_reads_is_unavailable() {
    let fixture = Postgres::new();
    let destination = open(&fixture.database.url).await.unwrap();
    let url = format!("{}?options=-c%20default_transaction_read_only%3Don", fixture.database.url);
    let reading = open(&url).await.unwrap();
    create(&destination, "t", &[("a", ColumnType::Text)]).await;
    let change = decant_core::destination::TableChange::Create {
        table: decant_core::TableName::parse("public.u"),
        columns: decant_testkit::batches::columns(&[("a", ColumnType::Text)]),
    };
    let error = reading.apply(&change, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.hint().unwrap().contains("target_session_attrs"));
    let error = refused(&format!("{url}&target_session_attrs=read-write")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}
