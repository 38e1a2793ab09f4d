//! The lookup of credentials. Environment variables belong to a process, so
//! each case runs in a child: this binary again, with the one test that knows
//! by its environment that it is the child.

use std::path::Path;
use std::process::Output;

use decant_core::ErrorKind;
use decant_storage::{Credentials, Location, Storage, StorageOptions};
use decant_testkit::s3::{MemoryS3, Operation};
use tokio::process::Command;

use crate::place::{BUCKET, endpoint, list, told};
use crate::stub::{Answer, Stub};

/// What the child is to do, and what it found.
const CASE: &str = "DECANT_TEST_CASE";
/// The test that a child runs.
const CHILD: &str = "credentials::the_environment_is_enough";

/// Runs `open_and_list` in a process whose AWS environment is `environment`.
async fn child(home: &Path, case: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", CHILD, "--nocapture"]);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(CASE, case)
        .envs(environment.iter().copied())
        .env_remove("RUST_BACKTRACE")
        .output()
        .await
        .unwrap()
}

fn succeeds(output: &Output) -> bool {
    let text = String::from_utf8_lossy(&output.stdout);
    output.status.success() && text.contains("1 passed")
}

/// Files of an AWS home with a key, a profile, and a role on top of it.
fn home(s3: &MemoryS3) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let keys = "aws_access_key_id = AKIDEXAMPLE\n\
                aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n";
    std::fs::write(
        home.path().join(".aws/credentials"),
        format!("[default]\n{keys}[team]\n{keys}"),
    )
    .unwrap();
    let endpoint = s3.endpoint();
    std::fs::write(
        home.path().join(".aws/config"),
        format!(
            "[default]\nregion = us-east-1\nendpoint_url = {endpoint}\n\
             [profile team]\nregion = eu-west-1\nservices = local\n\
             [services local]\ns3 =\n  endpoint_url = {endpoint}\n\
             [profile role]\nrole_arn = arn:aws:iam::123456789012:role/reader\n\
             source_profile = team\nregion = eu-west-1\n\
             [profile process]\nregion = us-east-1\nendpoint_url = {endpoint}\n\
             credential_process = echo '{{\"Version\": 1, \"AccessKeyId\": \"AKIDEXAMPLE\", \
             \"SecretAccessKey\": \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\"}}'\n"
        ),
    )
    .unwrap();
    home
}

/// The child's part.
async fn open_and_list(case: &str) {
    let (credentials, profile) = match case.split_once(' ') {
        Some(("profile", name)) => (Credentials::Default, Some(name.to_owned())),
        Some(("default", _)) => (Credentials::Default, None),
        Some(("alone", _)) => (Credentials::Profile, None),
        Some(("role", arn)) => {
            let role = Credentials::AssumeRole {
                role_arn: arn.to_owned(),
                external_id: None,
                session_name: None,
            };
            (role, None)
        }
        other => panic!("{other:?}"),
    };
    let options = StorageOptions { credentials, profile, retry_count: 0, ..Default::default() };
    let location = Location::parse(&format!("s3://{BUCKET}/")).unwrap();
    let storage = match Storage::open(&location, &options).await {
        Ok(storage) => storage,
        Err(error) => panic!("open: {:?} {}", error.kind(), told(&error)),
    };
    list(&storage, "").await.unwrap();
}

#[tokio::test]
async fn the_default_profile_of_the_shared_files_is_found() {
    let s3 = endpoint().await;
    let output = child(home(&s3).path(), "default -", &[]).await;
    assert!(succeeds(&output), "{output:?}");
    assert_eq!(s3.counts().of(Operation::List), 1);
}

#[tokio::test]
async fn a_named_profile_is_found_with_its_region_and_endpoint() {
    let s3 = endpoint().await;
    let home = home(&s3);
    for (case, environment) in [
        ("profile team", vec![]),
        ("default -", vec![("AWS_PROFILE", "team")]),
        ("profile process", vec![]),
    ] {
        let output = child(home.path(), case, &environment).await;
        assert!(succeeds(&output), "{case}: {output:?}");
    }
    assert_eq!(s3.counts().of(Operation::List), 3);
}

#[tokio::test]
async fn a_named_profile_stands_above_the_environment() {
    let s3 = endpoint().await;
    let home = home(&s3);
    let stray = [("AWS_ACCESS_KEY_ID", "STRAY"), ("AWS_SECRET_ACCESS_KEY", "stray")];
    for case in ["profile team", "alone -"] {
        let output = child(home.path(), case, &stray).await;
        assert!(succeeds(&output), "{case}: {output:?}");
    }
    let output = child(home.path(), "default -", &stray).await;
    assert!(!succeeds(&output), "the environment is the first of the chain: {output:?}");
}

#[tokio::test]
async fn the_environment_is_enough() {
    if let Ok(case) = std::env::var(CASE) {
        return open_and_list(&case).await;
    }
    let s3 = endpoint().await;
    let empty = tempfile::tempdir().unwrap();
    let output = child(
        empty.path(),
        "default -",
        &[
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            ("AWS_ENDPOINT_URL_S3", &s3.endpoint()),
        ],
    )
    .await;
    assert!(succeeds(&output), "{output:?}");
}

#[tokio::test]
async fn without_credentials_the_error_names_the_ways_to_give_them() {
    let empty = tempfile::tempdir().unwrap();
    let output = child(empty.path(), "default -", &[]).await;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    let kind = format!("{:?}", ErrorKind::AccessDenied);
    for part in [kind.as_str(), "AWS_ACCESS_KEY_ID", "--aws-profile", "--anonymous"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// Answers AssumeRole as STS does, and hands out the endpoint's own keys.
async fn sts() -> Stub {
    let keys = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
        <AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn>\
        <AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser><Credentials>\
        <AccessKeyId>AKIDEXAMPLE</AccessKeyId>\
        <SecretAccessKey>wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY</SecretAccessKey>\
        <SessionToken>a-session</SessionToken>\
        <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>\
        <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>";
    Stub::start(|_| Answer(200, "content-type: text/xml\r\n", keys.to_owned())).await
}

#[tokio::test]
async fn a_role_is_assumed_by_profile_or_by_option() {
    let arn = "arn:aws:iam::123456789012:role/reader";
    for case in ["profile role".to_owned(), format!("role {arn}")] {
        let s3 = endpoint().await;
        let home = home(&s3);
        let sts = sts().await;
        let s3_endpoint = s3.endpoint();
        let environment = [
            ("AWS_ENDPOINT_URL_STS", sts.endpoint.as_str()),
            ("AWS_ENDPOINT_URL_S3", s3_endpoint.as_str()),
        ];
        let output = child(home.path(), &case, &environment).await;
        assert!(succeeds(&output), "{case}: {output:?}");
        let [asked] = sts.requests().try_into().unwrap();
        assert!(asked.contains("action=assumerole"), "{asked}");
        assert_eq!(s3.counts().of(Operation::List), 1);
    }
}
