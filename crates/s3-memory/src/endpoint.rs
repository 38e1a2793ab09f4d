//! The S3 operations, each a few lines over the store. No HTTP: `s3s` has
//! parsed the request and writes the reply. Invariant: an operation takes the
//! store's lock once, and never across an await.

use crate::conditions::{ReadConditions, check_write, read_conditions};
use crate::depot::Depot;
use crate::listed::{self, Spelling};
use crate::listing::{self, PageRequest, page};
use crate::object::{Object, attributes, timestamp};
use crate::store::{Store, Version, Versioning};
use crate::transfer::{self, Found};
use chrono::Utc;
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;

/// The S3 operations on one depot.
pub(crate) struct Endpoint {
    pub(crate) depot: Arc<Depot>,
}

type Reply<T> = S3Result<S3Response<T>>;

fn reply<T>(output: T) -> Reply<T> {
    Ok(S3Response::new(output))
}

#[async_trait::async_trait]
impl S3 for Endpoint {
    async fn create_bucket(&self, r: S3Request<CreateBucketInput>) -> Reply<CreateBucketOutput> {
        let bucket = r.input.bucket;
        if !self.depot.write().create_bucket(&bucket) {
            return Err(s3_error!(BucketAlreadyOwnedByYou, "`{bucket}` is there already"));
        }
        let location = Some(format!("/{bucket}"));
        reply(CreateBucketOutput { location })
    }

    async fn delete_bucket(&self, r: S3Request<DeleteBucketInput>) -> Reply<DeleteBucketOutput> {
        self.depot.write().delete_bucket(&r.input.bucket)?;
        reply(DeleteBucketOutput::default())
    }

    async fn head_bucket(&self, r: S3Request<HeadBucketInput>) -> Reply<HeadBucketOutput> {
        self.depot.read().bucket(&r.input.bucket)?;
        let bucket_region = Some(self.depot.region.clone());
        reply(HeadBucketOutput { bucket_region, ..Default::default() })
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Reply<ListBucketsOutput> {
        let store = self.depot.read();
        let listed = store.buckets.iter().map(|(name, bucket)| Bucket {
            name: Some(name.clone()),
            creation_date: Some(timestamp(bucket.created)),
            ..Default::default()
        });
        reply(ListBucketsOutput { buckets: Some(listed.collect()), ..Default::default() })
    }

    async fn get_bucket_location(
        &self,
        r: S3Request<GetBucketLocationInput>,
    ) -> Reply<GetBucketLocationOutput> {
        self.depot.read().bucket(&r.input.bucket)?;
        // The oldest region has no name here.
        let named = Some(self.depot.region.clone()).filter(|region| region != "us-east-1");
        let location_constraint = named.map(BucketLocationConstraint::from);
        reply(GetBucketLocationOutput { location_constraint })
    }

    async fn get_bucket_versioning(
        &self,
        r: S3Request<GetBucketVersioningInput>,
    ) -> Reply<GetBucketVersioningOutput> {
        let status = match self.depot.read().bucket(&r.input.bucket)?.versioning {
            Versioning::Never => None,
            Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
            Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
        };
        let status = status.map(BucketVersioningStatus::from_static);
        reply(GetBucketVersioningOutput { status, ..Default::default() })
    }

    async fn put_bucket_versioning(
        &self,
        r: S3Request<PutBucketVersioningInput>,
    ) -> Reply<PutBucketVersioningOutput> {
        let status = r.input.versioning_configuration.status;
        let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
            Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            _ => return Err(s3_error!(MalformedXML, "The status is Enabled or Suspended")),
        };
        self.depot.write().bucket_mut(&r.input.bucket)?.versioning = versioning;
        reply(PutBucketVersioningOutput::default())
    }

    async fn put_object(&self, r: S3Request<PutObjectInput>) -> Reply<PutObjectOutput> {
        let mut input = r.input;
        let bytes = transfer::received(input.body.take(), input.content_length).await?;
        transfer::check_md5(input.content_md5.as_deref(), &bytes)?;
        let object = Object::new(bytes, Utc::now(), attributes!(input));
        let e_tag = Some(object.e_tag());
        let mut store = self.depot.write();
        let current = store.current(&input.bucket, &input.key)?;
        check_write(input.if_match.as_ref(), input.if_none_match.as_ref(), current)?;
        let version_id = store.put(&input.bucket, &input.key, object)?;
        reply(PutObjectOutput { e_tag, version_id, ..Default::default() })
    }

    async fn get_object(&self, r: S3Request<GetObjectInput>) -> Reply<GetObjectOutput> {
        let input = r.input;
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        read_conditions!(input).check(&found.object)?;
        let (bytes, content_range) = transfer::slice(&found.object, input.range.as_ref())?;
        reply(transfer::get_output(found, bytes, content_range))
    }

    async fn head_object(&self, r: S3Request<HeadObjectInput>) -> Reply<HeadObjectOutput> {
        let input = r.input;
        let found = self.find(&input.bucket, &input.key, input.version_id.as_deref())?;
        read_conditions!(input).check(&found.object)?;
        let (bytes, content_range) = transfer::slice(&found.object, input.range.as_ref())?;
        reply(transfer::head_output(found, bytes.len(), content_range))
    }

    async fn copy_object(&self, r: S3Request<CopyObjectInput>) -> Reply<CopyObjectOutput> {
        let mut input = r.input;
        let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "Access points are not known here"));
        };
        let mut found = self.find(bucket, key, version_id.as_deref())?;
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since.take(),
            if_unmodified_since: input.copy_source_if_unmodified_since.take(),
        };
        conditions.check(&found.object).map_err(|_| s3_error!(PreconditionFailed))?;
        let directive = input.metadata_directive.as_ref().map(MetadataDirective::as_str);
        if directive == Some(MetadataDirective::REPLACE) {
            found.object.attributes = attributes!(input);
        }
        let object = Object::new(found.object.bytes, Utc::now(), found.object.attributes);
        let (e_tag, last_modified) = (Some(object.e_tag()), Some(object.timestamp()));
        let version_id = self.depot.write().put(&input.bucket, &input.key, object)?;
        let copy = CopyObjectResult { e_tag, last_modified, ..Default::default() };
        let copy_source_version_id = found.version_id;
        let copy_object_result = Some(copy);
        reply(CopyObjectOutput {
            copy_object_result,
            copy_source_version_id,
            version_id,
            ..Default::default()
        })
    }

    async fn delete_object(&self, r: S3Request<DeleteObjectInput>) -> Reply<DeleteObjectOutput> {
        let input = r.input;
        let mut store = self.depot.write();
        let deletion = store.delete(&input.bucket, &input.key, input.version_id.as_deref())?;
        reply(DeleteObjectOutput {
            delete_marker: deletion.delete_marker.then_some(true),
            version_id: deletion.version_id,
            ..Default::default()
        })
    }

    async fn delete_objects(&self, r: S3Request<DeleteObjectsInput>) -> Reply<DeleteObjectsOutput> {
        let DeleteObjectsInput { bucket, delete, .. } = r.input;
        let mut store = self.depot.write();
        let deleted = delete
            .objects
            .into_iter()
            .map(|identifier| delete_one(&mut store, &bucket, identifier))
            .collect::<S3Result<Vec<_>>>()?;
        let deleted = Some(deleted).filter(|_| !delete.quiet.unwrap_or(false));
        reply(DeleteObjectsOutput { deleted, ..Default::default() })
    }

    async fn list_objects(&self, r: S3Request<ListObjectsInput>) -> Reply<ListObjectsOutput> {
        let input = r.input;
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.unwrap_or_default();
        let marker = input.marker.unwrap_or_default();
        let from = match marker.as_str() {
            "" => String::new(),
            marker => listing::after_marker(marker, &prefix, &delimiter),
        };
        let max_keys = listed::page_size(input.max_keys)?;
        let limit = self.depot.page_limit(max_keys);
        let store = self.depot.read();
        let keys = &store.bucket(&input.bucket)?.keys;
        let request = PageRequest { prefix: &prefix, delimiter: &delimiter, from, limit };
        let page = page(keys, &request);
        let spelling = Spelling::new(input.encoding_type)?;
        let next = page.last().filter(|_| page.next.is_some() && !delimiter.is_empty());
        reply(ListObjectsOutput {
            name: Some(input.bucket),
            contents: Some(listed::contents(&page, spelling)),
            common_prefixes: listed::common_prefixes(&page, spelling),
            is_truncated: Some(page.next.is_some()),
            next_marker: next.map(|next| spelling.of(next)),
            marker: Some(spelling.of(&marker)),
            prefix: Some(spelling.of(&prefix)),
            delimiter: listed::present(&delimiter).map(|delimiter| spelling.of(delimiter)),
            max_keys: Some(max_keys),
            encoding_type: spelling.declared(),
            ..Default::default()
        })
    }

    async fn list_objects_v2(
        &self,
        r: S3Request<ListObjectsV2Input>,
    ) -> Reply<ListObjectsV2Output> {
        let input = r.input;
        let prefix = input.prefix.unwrap_or_default();
        let delimiter = input.delimiter.unwrap_or_default();
        let from =
            listed::first_key(input.continuation_token.as_deref(), input.start_after.as_deref())?;
        let max_keys = listed::page_size(input.max_keys)?;
        let limit = self.depot.page_limit(max_keys);
        let store = self.depot.read();
        let keys = &store.bucket(&input.bucket)?.keys;
        let request = PageRequest { prefix: &prefix, delimiter: &delimiter, from, limit };
        let page = page(keys, &request);
        let spelling = Spelling::new(input.encoding_type)?;
        let contents = listed::contents(&page, spelling);
        let common_prefixes = listed::common_prefixes(&page, spelling);
        let entries = contents.len() + common_prefixes.as_ref().map_or(0, Vec::len);
        reply(ListObjectsV2Output {
            name: Some(input.bucket),
            contents: Some(contents),
            common_prefixes,
            key_count: i32::try_from(entries).ok(),
            is_truncated: Some(page.next.is_some()),
            continuation_token: input.continuation_token,
            next_continuation_token: page.next.as_deref().map(listing::token),
            start_after: input.start_after.map(|start| spelling.of(&start)),
            prefix: Some(spelling.of(&prefix)),
            delimiter: listed::present(&delimiter).map(|delimiter| spelling.of(delimiter)),
            max_keys: Some(max_keys),
            encoding_type: spelling.declared(),
            ..Default::default()
        })
    }

    async fn create_multipart_upload(
        &self,
        r: S3Request<CreateMultipartUploadInput>,
    ) -> Reply<CreateMultipartUploadOutput> {
        let mut input = r.input;
        let attributes = attributes!(input);
        let mut store = self.depot.write();
        store.bucket(&input.bucket)?;
        let id = store.uploads.begin(input.bucket.clone(), input.key.clone(), attributes);
        reply(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..Default::default()
        })
    }

    async fn upload_part(&self, r: S3Request<UploadPartInput>) -> Reply<UploadPartOutput> {
        let input = r.input;
        let bytes = transfer::received(input.body, input.content_length).await?;
        transfer::check_md5(input.content_md5.as_deref(), &bytes)?;
        let place = (input.bucket.as_str(), input.key.as_str());
        let uploads = &mut self.depot.write().uploads;
        let etag = uploads.put_part(&input.upload_id, place, input.part_number, bytes)?;
        reply(UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() })
    }

    async fn complete_multipart_upload(
        &self,
        r: S3Request<CompleteMultipartUploadInput>,
    ) -> Reply<CompleteMultipartUploadOutput> {
        let input = r.input;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let place = (input.bucket.as_str(), input.key.as_str());
        let mut store = self.depot.write();
        let current = store.current(&input.bucket, &input.key)?;
        check_write(input.if_match.as_ref(), input.if_none_match.as_ref(), current)?;
        let object = store.uploads.complete(&input.upload_id, place, &parts)?;
        let e_tag = Some(object.e_tag());
        let version_id = store.put(&input.bucket, &input.key, object)?;
        reply(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag,
            version_id,
            ..Default::default()
        })
    }

    async fn abort_multipart_upload(
        &self,
        r: S3Request<AbortMultipartUploadInput>,
    ) -> Reply<AbortMultipartUploadOutput> {
        let place = (r.input.bucket.as_str(), r.input.key.as_str());
        self.depot.write().uploads.abort(&r.input.upload_id, place)?;
        reply(AbortMultipartUploadOutput::default())
    }
}

impl Endpoint {
    fn find(&self, bucket: &str, key: &str, id: Option<&str>) -> S3Result<Found> {
        let store = self.depot.read();
        match store.version(bucket, key, id)? {
            None => Err(s3_error!(NoSuchKey, "No key `{key}`")),
            Some(Version { id: version_id, object: Some(object) }) => {
                Ok(Found { version_id: version_id.clone(), object: object.clone() })
            }
            Some(marker) => Err(deleted(marker, id.is_some())),
        }
    }
}

/// The error of reading a delete marker, by its version id or as the latest version.
fn deleted(marker: &Version, by_id: bool) -> s3s::S3Error {
    let mut error = match by_id {
        true => s3_error!(MethodNotAllowed, "The version is a delete marker"),
        false => s3_error!(NoSuchKey, "The key is deleted"),
    };
    let mut headers = HeaderMap::new();
    let marked = HeaderName::from_static("x-amz-delete-marker");
    headers.insert(marked, HeaderValue::from_static("true"));
    if let Some(Ok(id)) = marker.id.as_deref().map(HeaderValue::from_str) {
        headers.insert(HeaderName::from_static("x-amz-version-id"), id);
    }
    error.set_headers(headers);
    error
}

fn delete_one(
    store: &mut Store,
    bucket: &str,
    identifier: ObjectIdentifier,
) -> S3Result<DeletedObject> {
    let ObjectIdentifier { key, version_id, .. } = identifier;
    let deletion = store.delete(bucket, &key, version_id.as_deref())?;
    let delete_marker = deletion.delete_marker.then_some(true);
    let delete_marker_version_id = deletion.version_id.filter(|_| deletion.delete_marker);
    Ok(DeletedObject { key: Some(key), version_id, delete_marker, delete_marker_version_id })
}
