//! A pipeline as an embedding program opens and runs it.
use std::sync::Arc;

use decant::Pipeline;
use decant::config::{Document, Environment, Overrides, Vocabulary};
use decant::engine::{NoObserver, RunReport, Stop};
use decant_testkit::s3::{MemoryS3, Options};

async fn sync(yaml: &str) -> RunReport {
    let document =
        Document::parse("decant.yaml", yaml, None, &Environment::of::<String, String>([])).unwrap();
    let settings = document.settings(&Overrides::default(), &Vocabulary::default()).unwrap();
    let pipeline = Pipeline::open(settings).await.unwrap();
    pipeline.run(Arc::new(NoObserver), &Stop::default(), true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_sync_finds_nothing_new() {
    let s3 = MemoryS3::start(Options::default()).await.unwrap();
    s3.create_bucket("bucket");
    for number in 0..5 {
        s3.put("bucket", &format!("in/orders/{number}.csv"), format!("id,name\n{number},x\n"));
    }
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!(
        "source: {{url: s3://bucket/in/, endpoint: '{}', credentials: anonymous}}\n\
         destination: sqlite:{}/a.db\nstreams: {{all: {{files: '**'}}}}\n",
        s3.endpoint(),
        folder.path().display()
    );
    let report = sync(&yaml).await;
    assert_eq!((report.files.loaded, report.rows.loaded), (5, 5));
    let report = sync(&yaml).await;
    assert_eq!((report.files.loaded, report.files.already_loaded), (0, 5));
}
