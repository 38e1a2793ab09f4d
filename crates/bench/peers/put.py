"""Makes a bucket and puts files into it, each under its path below its
parent's folder.

usage: put.py BUCKET PATH...

The endpoint and its keys come from the AWS variables.
"""

import os
import sys

import s3fs


def files_below(path):
    if os.path.isfile(path):
        yield path
    else:
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in sorted(names))


def main():
    bucket, paths = sys.argv[1], sys.argv[2:]
    # Ceph wants the length of a body before it, and no checksum behind it.
    plain = {"request_checksum_calculation": "when_required"}
    store = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"], config_kwargs=plain)
    if not store.exists(bucket):
        store.mkdir(bucket)
    for path in paths:
        for file in files_below(path):
            key = os.path.relpath(file, os.path.dirname(path))
            store.put_file(file, f"{bucket}/{key}")
            if store.size(f"{bucket}/{key}") != os.path.getsize(file):
                raise SystemExit(f"{key} did not arrive whole")


main()
