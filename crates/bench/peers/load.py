"""Loads one file of the bucket `bench` into Postgres with somebody else's tool.

usage: load.py TOOL FORMAT KEY TABLE

FORMAT is csv, jsonl or parquet. The endpoint and its keys come from the AWS
variables, the database from BENCH_POSTGRES. Each tool is used as its own
documentation shows it, and as fast as that documentation knows.
"""

import os
import sys
import tempfile
from urllib.parse import urlsplit

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
KEY = os.environ["AWS_ACCESS_KEY_ID"]
SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]
REGION = os.environ["AWS_REGION"]
POSTGRES = os.environ["BENCH_POSTGRES"]
BUCKET = "bench"


def load_with_duckdb(kind, key, table):
    import duckdb
    import duckdb_extension_httpfs
    import duckdb_extension_postgres_scanner

    connection = duckdb.connect()
    for package in (duckdb_extension_httpfs, duckdb_extension_postgres_scanner):
        connection.execute(f"LOAD '{extension_of(package, duckdb.__version__)}'")
    connection.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{KEY}', SECRET '{SECRET}', REGION '{REGION}', "
        f"ENDPOINT '{urlsplit(ENDPOINT).netloc}', URL_STYLE 'path', USE_SSL false)"
    )
    connection.execute(f"ATTACH '{POSTGRES}' AS pg (TYPE postgres)")
    reader = {"csv": "read_csv", "jsonl": "read_json", "parquet": "read_parquet"}[kind]
    connection.execute(
        f"CREATE TABLE pg.public.{table} AS FROM {reader}('s3://{BUCKET}/{key}')"
    )


def extension_of(package, version):
    folder = os.path.join(os.path.dirname(package.__file__), "extensions", f"v{version}")
    (name,) = os.listdir(folder)
    return os.path.join(folder, name)


def load_with_polars(kind, key, table):
    import polars

    options = {
        "aws_access_key_id": KEY,
        "aws_secret_access_key": SECRET,
        "aws_region": REGION,
        "aws_endpoint_url": ENDPOINT,
        "aws_allow_http": "true",
    }
    source = f"s3://{BUCKET}/{key}"
    if kind == "csv":
        frame = polars.scan_csv(source, try_parse_dates=True, storage_options=options)
    elif kind == "jsonl":
        frame = polars.scan_ndjson(source, storage_options=options)
    else:
        frame = polars.scan_parquet(source, storage_options=options)
    frame.collect().write_database(table, POSTGRES, engine="adbc")


def bucket_of_pyarrow():
    from pyarrow import fs

    return fs.S3FileSystem(
        access_key=KEY, secret_key=SECRET, region=REGION, endpoint_override=ENDPOINT
    )


def load_with_pyarrow(kind, key, table):
    import adbc_driver_postgresql.dbapi
    import pyarrow
    from pyarrow import csv, json, parquet

    bucket = bucket_of_pyarrow()
    path = f"{BUCKET}/{key}"
    if kind == "csv":
        nulls = csv.ConvertOptions(strings_can_be_null=True)
        lines = csv.ParseOptions(newlines_in_values=True)
        stream = bucket.open_input_stream(path)
        reader = csv.open_csv(stream, parse_options=lines, convert_options=nulls)
    elif kind == "jsonl":
        reader = json.open_json(bucket.open_input_stream(path))
    else:
        file = parquet.ParquetFile(bucket.open_input_file(path))
        reader = pyarrow.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
    with adbc_driver_postgresql.dbapi.connect(POSTGRES) as connection:
        with connection.cursor() as cursor:
            cursor.adbc_ingest(table, reader, mode="create")
        connection.commit()


def load_with_psycopg(kind, key, table):
    import psycopg2

    if kind != "csv":
        raise SystemExit("COPY reads no other text than CSV")
    stream = bucket_of_pyarrow().open_input_stream(f"{BUCKET}/{key}")
    with psycopg2.connect(POSTGRES) as connection, connection.cursor() as cursor:
        columns = os.environ["BENCH_COLUMNS"]
        cursor.copy_expert(
            f"COPY {table} ({columns}) FROM STDIN (FORMAT csv, HEADER)", stream, size=1 << 18
        )


def load_with_dlt(kind, key, table):
    import dlt
    from dlt.sources.credentials import AwsCredentials
    from dlt.sources.filesystem import readers

    credentials = AwsCredentials(
        aws_access_key_id=KEY, aws_secret_access_key=SECRET, endpoint_url=ENDPOINT
    )
    files = readers(bucket_url=f"s3://{BUCKET}", credentials=credentials, file_glob=key)
    if kind == "csv":
        rows = files.read_csv_duckdb(use_pyarrow=True)
    elif kind == "jsonl":
        rows = files.read_jsonl()
    else:
        rows = files.read_parquet(use_pyarrow=True)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(POSTGRES),
            dataset_name="public",
        )
        pipeline.run(rows.with_name(table), table_name=table, write_disposition="append")


TOOLS = {
    "duckdb": load_with_duckdb,
    "polars": load_with_polars,
    "pyarrow": load_with_pyarrow,
    "psycopg": load_with_psycopg,
    "dlt": load_with_dlt,
}

if __name__ == "__main__":
    TOOLS[sys.argv[1]](*sys.argv[2:])
