//! Lists keys page by page with ListObjectsV2. While a page is being dealt with,
//! the next is fetched.
//!
//! Invariant: within a scan keys strictly increase, byte by byte. An endpoint
//! that goes back or round in circles is an error that names it; only a page
//! that comes twice in a row is passed over once.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use decant_core::selection::Scan;
use decant_core::{Arrival, Error, ErrorKind, FileVersion, Receipt, Result, Trigger};
use tokio::task::JoinHandle;

use super::client::{Ask, Client, Verb};
use super::encode;
use super::fault::{Fault, StatusFault};
use super::head;
use super::xml::{Answer, Entry, ErrorDocument, Page, parse_listing};

/// A page of 1,000 keys of 1,024 bytes, every byte encoded as three, and the
/// rest of its entries.
const PAGE_BYTES_MAX: usize = 16 << 20;
/// Empty pages in a row before an endpoint counts as going in circles.
const EMPTY_PAGES_MAX: u32 = 100;

/// The arrivals of a bucket's scans.
pub(super) struct Listing {
    client: Arc<Client>,
    scans: VecDeque<Scan>,
    pages: Option<Pages>,
    page_keys: u16,
    /// The key that the scan before found.
    found: Option<String>,
}

impl Listing {
    pub(super) fn new(client: Arc<Client>, scans: Vec<Scan>, page_keys: u16) -> Self {
        Self { client, scans: scans.into(), pages: None, page_keys, found: None }
    }

    async fn next_files(&mut self) -> Result<Option<Vec<FileVersion>>> {
        if let Some(pages) = &mut self.pages {
            let page = match pages.next(&self.client).await {
                Err(error) => self.forgive(error)?,
                Ok(page) => page,
            };
            match page {
                Some(files) => return Ok(Some(files)),
                None => self.pages = None,
            }
        }
        match self.scans.pop_front() {
            None => Ok(None),
            Some(Scan::Key(key)) => {
                let file = head::head(&self.client, &key).await?;
                self.found = file.is_some().then_some(key);
                Ok(Some(file.into_iter().collect()))
            }
            Some(Scan::Prefix(prefix)) => {
                self.pages = Some(Pages::new(prefix, self.page_keys));
                Ok(Some(Vec::new()))
            }
        }
    }

    /// Whoever may read one object need not be allowed to list: the folder
    /// of a file's name is then taken as empty, once the file was found.
    fn forgive(&self, error: Error) -> Result<Option<Vec<FileVersion>>> {
        let folder = self.pages.as_ref().and_then(|pages| pages.prefix.strip_suffix('/'));
        if error.kind() == ErrorKind::AccessDenied
            && folder.is_some_and(|key| self.found.as_deref() == Some(key))
        {
            tracing::warn!(%error, "the file was found; a folder of its name cannot be listed");
            return Ok(None);
        }
        Err(error)
    }
}

#[async_trait]
impl Trigger for Listing {
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
        let files = match self.next_files().await {
            Ok(files) => files,
            Err(error) => {
                self.scans.clear();
                self.pages = None;
                return Err(error);
            }
        };
        let arrival = |file| Arrival { file, receipt: Receipt::None };
        Ok(files.map(|files| files.into_iter().map(arrival).collect()))
    }

    async fn acknowledge(&mut self, _receipt: &Receipt) -> Result<()> {
        Ok(())
    }
}

/// The first file whose key begins with `prefix`.
pub(super) async fn first(client: &Arc<Client>, prefix: &str) -> Result<Option<FileVersion>> {
    let mut pages = Pages::new(prefix.to_owned(), 1);
    while let Some(files) = pages.next(client).await? {
        if let Some(file) = files.into_iter().next() {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// The pages of one prefix.
struct Pages {
    prefix: Arc<str>,
    page_keys: u16,
    position: Position,
    /// The page at `position`, on its way.
    ahead: Option<Ahead>,
    /// First key and length of the page before, and its last key.
    before: Option<(String, usize, String)>,
    repeated: bool,
    empty_pages: u32,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq)]
enum Position {
    Start,
    Token(String),
    After(String),
    End,
}

/// A page as it was sent.
struct Listed {
    files: Vec<FileVersion>,
    is_truncated: bool,
    next_token: Option<String>,
}

/// A page that is fetched while nobody waits for it. Dropped, it is given up.
struct Ahead(JoinHandle<Result<Listed, Fault>>);

impl Ahead {
    async fn page(mut self) -> Result<Listed, Fault> {
        (&mut self.0).await.unwrap_or_else(|error| {
            let ended = Error::new(ErrorKind::Internal, "a page's request ended badly");
            Err(ended.caused_by(error).into())
        })
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pages {
    fn new(prefix: String, page_keys: u16) -> Self {
        Self {
            prefix: prefix.into(),
            page_keys,
            position: Position::Start,
            ahead: None,
            before: None,
            repeated: false,
            empty_pages: 0,
        }
    }

    /// The next page, which may be empty; `None` after the last.
    async fn next(&mut self, client: &Arc<Client>) -> Result<Option<Vec<FileVersion>>> {
        if self.position == Position::End {
            return Ok(None);
        }
        let page = match self.ahead.take() {
            Some(ahead) => ahead.page().await,
            None => self.request().fetch(client).await,
        };
        let page = page.map_err(|fault| client.error(Verb::List, None, fault))?;
        let files = self.accept(page).map_err(|what| {
            let endpoint = client.endpoint_name();
            Error::new(ErrorKind::Unavailable, format!("endpoint {endpoint} lists wrongly: {what}"))
                .with("bucket", client.bucket())
                .with("prefix", &*self.prefix)
        })?;
        if self.position != Position::End {
            let (request, client) = (self.request(), Arc::clone(client));
            let fetching = tokio::spawn(async move { request.fetch(&client).await });
            self.ahead = Some(Ahead(fetching));
        }
        Ok(Some(files))
    }

    fn request(&self) -> PageRequest {
        let (prefix, position) = (Arc::clone(&self.prefix), self.position.clone());
        PageRequest { prefix, page_keys: self.page_keys, position }
    }

    /// Guards the invariant and moves on. The error says what is wrong.
    fn accept(&mut self, page: Listed) -> Result<Vec<FileVersion>, String> {
        if self.is_repeated(&page.files) {
            return self.pass_over(page);
        }
        self.check_order(&page.files)?;
        let position = self.position_behind(&page)?;
        let files = page.files;
        self.repeated = false;
        self.empty_pages = if files.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > EMPTY_PAGES_MAX {
            return Err(format!("{EMPTY_PAGES_MAX} pages in a row are empty"));
        }
        if let (Some(first), Some(last)) = (files.first(), files.last()) {
            self.before = Some((first.key.clone(), files.len(), last.key.clone()));
        }
        self.position = position;
        Ok(files)
    }

    /// Drops the page before, come again, and asks once more: by its token,
    /// which may be the one that was asked with.
    fn pass_over(&mut self, page: Listed) -> Result<Vec<FileVersion>, String> {
        if std::mem::replace(&mut self.repeated, true) {
            return Err("the same page comes again and again".to_owned());
        }
        tracing::warn!(prefix = &*self.prefix, "a page of the listing came twice: passed over");
        if let Some(token) = page.next_token.filter(|_| page.is_truncated) {
            self.position = Position::Token(token);
        }
        Ok(Vec::new())
    }

    fn position_behind(&self, page: &Listed) -> Result<Position, String> {
        if !page.is_truncated {
            return Ok(Position::End);
        }
        match (&page.next_token, page.files.last()) {
            (Some(token), _) if self.position == Position::Token(token.clone()) => {
                Err("it goes on with the continuation token that it was asked with".to_owned())
            }
            (Some(token), _) => Ok(Position::Token(token.clone())),
            (None, Some(last)) => Ok(Position::After(last.key.clone())),
            (None, None) => Err("an empty page is truncated".to_owned()),
        }
    }

    fn is_repeated(&self, files: &[FileVersion]) -> bool {
        match (&self.before, files) {
            (Some((first, length, last)), [head, .., tail]) => {
                (first, *length, last) == (&head.key, files.len(), &tail.key)
            }
            (Some((_, 1, last)), [only]) => *last == only.key,
            _ => false,
        }
    }

    fn check_order(&self, files: &[FileVersion]) -> Result<(), String> {
        let mut before = self.before.as_ref().map(|(_, _, last)| last.as_str());
        for file in files {
            let key = file.key.as_str();
            if !key.starts_with(&*self.prefix) {
                return Err(format!("`{key}` does not begin with `{}`", self.prefix));
            }
            if let Some(before) = before.filter(|before| *before >= key) {
                return Err(format!("`{key}` comes after `{before}`"));
            }
            before = Some(key);
        }
        Ok(())
    }
}

/// What is asked for a page.
struct PageRequest {
    prefix: Arc<str>,
    page_keys: u16,
    position: Position,
}

impl PageRequest {
    async fn fetch(&self, client: &Client) -> Result<Listed, Fault> {
        let ask = self.ask();
        let mut tries = client.tries();
        loop {
            let mut reply = client.send(&ask, &mut tries).await?;
            let answer = match reply.collect(PAGE_BYTES_MAX).await {
                Ok(body) => read_answer(client, &body),
                Err(fault) => Err(fault),
            };
            match answer {
                Ok(page) => return Ok(page),
                Err(fault) => {
                    tries
                        .pause(&format!("List s3://{}/{}", client.bucket(), self.prefix), fault)
                        .await?;
                }
            }
        }
    }

    fn ask(&self) -> Ask<'_> {
        let mut query: Vec<(&'static str, Cow<'_, str>)> = vec![
            ("list-type", "2".into()),
            ("encoding-type", "url".into()),
            ("max-keys", self.page_keys.to_string().into()),
        ];
        if !self.prefix.is_empty() {
            query.push(("prefix", (&*self.prefix).into()));
        }
        match &self.position {
            Position::Token(token) => query.push(("continuation-token", token.as_str().into())),
            Position::After(key) => query.push(("start-after", key.as_str().into())),
            Position::Start | Position::End => {}
        }
        Ask { verb: Verb::List, key: None, query, headers: Vec::new() }
    }
}

fn read_answer(client: &Client, body: &[u8]) -> Result<Listed, Fault> {
    match parse_listing(body).map_err(Fault::Answer)? {
        Answer::Error(document) => Err(Fault::Status(Box::new(masked_error(document)))),
        Answer::Page(Page { entries, is_truncated, next_token, encoding }) => {
            let is_encoded = encoding.as_deref() == Some("url");
            let files = entries.into_iter().map(|entry| version(client, entry, is_encoded));
            let files = files.collect::<Result<_, _>>()?;
            Ok(Listed { files, is_truncated, next_token })
        }
    }
}

/// An error document under the status 200.
fn masked_error(document: ErrorDocument) -> StatusFault {
    StatusFault {
        status: 200,
        code: document.code,
        message: document.message,
        region: document.region,
        server_time: document.server_time,
        ..StatusFault::default()
    }
}

fn version(client: &Client, entry: Entry<'_>, is_encoded: bool) -> Result<FileVersion, Fault> {
    let lacking = |what: &str| Fault::Answer(format!("`{}` is listed without {what}", entry.key));
    let size = entry.size.ok_or_else(|| lacking("its size"))?;
    let last_modified = entry.last_modified.ok_or_else(|| lacking("its time"))?;
    let key = if is_encoded {
        encode::decode_listed_key(&entry.key)
            .ok_or_else(|| Fault::Answer(format!("`{}` is not UTF-8", entry.key)))?
    } else {
        entry.key.into_owned()
    };
    Ok(FileVersion {
        source: client.source().to_owned(),
        bucket: client.bucket().to_owned(),
        key,
        member: String::new(),
        etag: entry.etag.into_owned(),
        size,
        version_id: None,
        last_modified,
    })
}
