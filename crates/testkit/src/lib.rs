//! What the tests stand on: conformance suites, an S3 endpoint that misbehaves on demand, a destination in memory, a Postgres of one's own
