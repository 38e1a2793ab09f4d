//! Where files are: S3-compatible object storage and local folders
