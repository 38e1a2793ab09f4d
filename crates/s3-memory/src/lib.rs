//! An S3 endpoint in memory, over HTTP on loopback, for the demo and the tests
