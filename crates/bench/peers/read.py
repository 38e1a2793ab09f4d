"""Reads one local file into Arrow or a frame with somebody else's reader, on
one thread, and prints the seconds of CPU and of wall time that it took.

usage: read.py TOOL FORMAT FILE

The file is read once before, so that it comes from memory; starting Python
and importing the tool is not counted.
"""

import os
import sys
import time

os.environ["POLARS_MAX_THREADS"] = "1"


def read_with_duckdb(kind, path):
    import duckdb

    connection = duckdb.connect(config={"threads": 1})
    reader = {"csv": "read_csv", "jsonl": "read_json"}[kind]

    def read():
        batches = connection.execute(f"FROM {reader}('{path}')").to_arrow_reader(100_000)
        return sum(batch.num_rows for batch in batches)

    return read


def read_with_polars(kind, path):
    import polars

    if kind == "csv":
        return lambda: polars.read_csv(path, try_parse_dates=True).height
    return lambda: polars.read_ndjson(path).height


def read_with_pyarrow(kind, path):
    from pyarrow import csv, json

    if kind == "csv":
        options = csv.ReadOptions(use_threads=False)
        parse = csv.ParseOptions(newlines_in_values=True)
        return lambda: csv.read_csv(path, read_options=options, parse_options=parse).num_rows
    options = json.ReadOptions(use_threads=False)
    return lambda: json.read_json(path, read_options=options).num_rows


TOOLS = {"duckdb": read_with_duckdb, "polars": read_with_polars, "pyarrow": read_with_pyarrow}


def main():
    tool, kind, path = sys.argv[1:]
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass
    read = TOOLS[tool](kind, path)
    cpu, wall = time.process_time(), time.monotonic()
    rows = read()
    print(rows, time.process_time() - cpu, time.monotonic() - wall)


main()
