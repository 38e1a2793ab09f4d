//! Pipelines from an S3 endpoint over HTTP into real databases.

mod pipeline;
