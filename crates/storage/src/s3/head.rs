//! The current version of one key, by HEAD.

use chrono::DateTime;
use decant_core::{FileVersion, Result};
use http::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED, RANGE};

use super::bare_etag;
use super::client::{Ask, Client, Reply, Verb};
use super::fault::Fault;

/// The current version of `key`; `None` when there is none. No version id is
/// taken from the answer: reading by version id needs a permission of its
/// own, and the ETag pins as well.
pub(super) async fn head(client: &Client, key: &str) -> Result<Option<FileVersion>> {
    if key.is_empty() {
        return Ok(None);
    }
    let ask = Ask { verb: Verb::Head, key: Some(key), query: vec![], headers: vec![] };
    match client.send(&ask, &mut client.tries()).await {
        Ok(reply) => version(client, key, &reply)
            .map(Some)
            .map_err(|fault| client.error(Verb::Head, Some(key), fault)),
        Err(fault) if fault.status() == Some(404) => Ok(None),
        Err(fault) => {
            let fault = explained(client, key, fault).await;
            Err(client.error(Verb::Head, Some(key), fault))
        }
    }
}

fn version(client: &Client, key: &str, reply: &Reply) -> Result<FileVersion, Fault> {
    let lacking = |name: &str| Fault::Answer(format!("it answers a HEAD without {name}"));
    let size = reply.header(CONTENT_LENGTH).and_then(|size| size.parse().ok());
    let time = reply.header(LAST_MODIFIED).and_then(|time| DateTime::parse_from_rfc2822(time).ok());
    Ok(FileVersion {
        source: client.source().to_owned(),
        bucket: client.bucket().to_owned(),
        key: key.to_owned(),
        member: String::new(),
        etag: bare_etag(reply.header(ETAG).unwrap_or_default()).to_owned(),
        size: size.ok_or_else(|| lacking("Content-Length"))?,
        version_id: None,
        last_modified: time.ok_or_else(|| lacking("Last-Modified"))?.to_utc(),
    })
}

/// An answer to HEAD has no body that says what is wrong: a GET of one byte
/// does.
async fn explained(client: &Client, key: &str, fault: Fault) -> Fault {
    match &fault {
        Fault::Status(answer)
            if answer.code.is_empty() && matches!(answer.status, 400 | 401 | 403) => {}
        _ => return fault,
    }
    let headers = vec![(RANGE, "bytes=0-0".to_owned())];
    let ask = Ask { verb: Verb::Get, key: Some(key), query: vec![], headers };
    match client.send(&ask, &mut client.tries()).await {
        Err(Fault::Status(explained)) if !explained.code.is_empty() => Fault::Status(explained),
        _ => fault,
    }
}
