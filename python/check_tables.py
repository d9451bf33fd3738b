"""Do the tables open, with the same rows and types, in pandas, Polars, DuckDB and pyarrow?

    python check_tables.py FILE.parquet ...
    python check_tables.py --self-test

Per file: equal row counts and values in all four; integers that stay integers; no type that one of them lacks;
the columns that a known table must have; non-empty run metadata in the footer.
"""

import argparse
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from oracle import Quiet, Report

# What each reader calls a type: pyarrow, pandas, Polars, DuckDB.
TYPES = {
    "string": ("str", "String", "VARCHAR"),
    "bool": ("bool", "Boolean", "BOOLEAN"),
    "int32": ("int32", "Int32", "INTEGER"),
    "int64": ("int64", "Int64", "BIGINT"),
    "uint64": ("uint64", "UInt64", "UBIGINT"),
    "float": ("float32", "Float32", "FLOAT"),
    "double": ("float64", "Float64", "DOUBLE"),
    "binary": ("object", "Binary", "BLOB"),
}
# Columns of known tables, by the column that tells which table it is. More columns are welcome.
KNOWN = {
    "state": {
        "graph": "string", "method": "string", "replica": "int64", "seed": "uint64", "initial_flips": "int64",
        "energy": "double", "satisfied_weight": "double", "frustrated_weight": "double", "n_nodes": "int64",
        "n_edges": "int64", "sum_abs": "double", "flips": "int64", "sweeps": "int64", "secs": "double",
        "local_minimum": "bool", "state": "binary",
    },
    "active": {
        "graph": "string", "image_index": "int64", "image": "string", "label": "int64", "class": "int64",
        "logit": "double", "method": "string", "seed": "uint64", "energy": "double", "satisfied_weight": "double",
        "frustrated_weight": "double", "active_nodes": "int64", "active_edges": "int64", "sum_abs": "double",
        "flips": "int64", "sweeps": "int64", "secs": "double", "local_minimum": "bool", "active": "binary",
        "spins": "binary",
    },
    "active_weight": {
        "graph": "string", "image_index": "int64", "layer": "string", "n_nodes": "int64", "active_nodes": "int64",
        "n_edges": "int64", "active_edges": "int64", "active_weight": "double",
    },
    "target": {
        "graph": "string", "replica": "int64", "source": "string", "target": "string", "n_edges": "int64",
        "weight": "double", "frustrated_edges": "int64", "frustrated_weight": "double",
    },
    "node": {"node": "int64", "label": "string", "class": "int64"},
    "instance": {
        "graph": "string", "kind": "string", "distribution": "string", "index": "int64", "instance": "int64",
        "method": "string", "seed": "uint64", "initial_flips": "int64", "energy": "double",
        "satisfied_weight": "double", "frustrated_weight": "double", "n_nodes": "int64", "n_edges": "int64",
        "sum_abs": "double", "flips": "int64", "sweeps": "int64", "secs": "double", "local_minimum": "bool",
    },
    "log10_p": {
        "graph": "string", "method": "string", "case": "string", "reference": "string", "n": "int64",
        "mean": "double", "sd": "double", "least": "double", "welch_t": "double", "degrees_of_freedom": "double",
        "log10_p": "double", "cohens_d": "double",
    },
    "greatest_change": {
        "graph": "string", "case": "string", "model": "int64", "image_index": "int64", "image": "string",
        "label": "int64", "perturbation": "int64", "seed": "uint64", "norm": "double", "omega": "double",
        "unmoved": "double", "mean_change": "double", "greatest_change": "double", "class_before": "int64", "class_after": "int64",
        "same_class": "bool",
    },
    "one_sided": {
        "graph": "string", "case": "string", "n_images": "int64", "n": "int64", "lambda": "double",
        "lambda_low": "double", "lambda_high": "double", "resamples": "int64", "seed": "uint64",
        "mean_omega": "double", "mean_distance": "double",
        "mean_unmoved": "double", "lambda_moved": "double", "same_class": "double", "one_sided": "double",
    },
    "above_half": {
        "graph": "string", "case": "string", "image_index": "int64", "image": "string", "label": "int64",
        "n": "int64", "above_half": "double", "mean_omega": "double", "same_class": "double",
    },
    "norm_least": {
        "graph": "string", "case": "string", "norm_least": "double", "norm_greatest": "double", "n": "int64",
        "same_class": "double", "lambda": "double", "mean_omega": "double", "mean_distance": "double",
        "mean_change": "double",
    },
}  # fmt: skip
# Columns that may be null, by the same mark.
NULLABLE = {
    "state": {"secs"},
    "active": {"secs", "active", "spins"},
    "instance": {"distribution", "secs"},
    "log10_p": {"reference", "sd", "welch_t", "degrees_of_freedom", "log10_p", "cohens_d"},
    "one_sided": {"lambda_low", "lambda_high"},
}
METADATA = ["frustration.version", "frustration.arguments", "frustration.graph"]


def check_schema(report: Report, schema: pa.Schema) -> None:
    """Types and null rules that every reader keeps, and the columns of a known table."""
    odd = [f"{f.name} {f.type}" for f in schema if str(f.type) not in TYPES]
    report.check("plain types", not odd, ", ".join(odd))
    nullable = [f.name for f in schema if f.nullable and (pa.types.is_integer(f.type) or pa.types.is_boolean(f.type))]
    report.check("integers are not nullable", not nullable, ", ".join(nullable))
    for mark, columns in KNOWN.items():
        if mark in schema.names:
            found = {f.name: str(f.type) for f in schema}
            wrong = [f"{n} is {found.get(n)}, expected {t}" for n, t in columns.items() if found.get(n) != t]
            report.check("known columns", not wrong, "; ".join(wrong))
            fixed = [n for n in columns if n in schema.names and n not in NULLABLE.get(mark, ())]
            nullable = [n for n in fixed if schema.field(n).nullable]
            report.check("known columns are not nullable", not nullable, ", ".join(nullable))


def check_metadata(report: Report, path: Path) -> None:
    """Run metadata is in the footer, for DuckDB and Polars, too."""
    metadata = {k.decode(): v.decode() for k, v in (pq.read_metadata(path).metadata or {}).items()}
    empty = [key for key in METADATA if not metadata.get(key)]
    report.check("metadata", not empty, f"missing {', '.join(empty)}" if empty else metadata["frustration.version"])
    polars = pl.read_parquet_metadata(path)
    report.check("metadata in Polars", all(polars.get(key) == metadata.get(key) for key in METADATA))
    rows = duckdb.execute("select key, value from parquet_kv_metadata(?)", [str(path)]).fetchall()
    duck = {bytes(key).decode(): bytes(value).decode() for key, value in rows}
    report.check("metadata in DuckDB", all(duck.get(key) == metadata.get(key) for key in METADATA))


def check_readers(report: Report, path: Path) -> None:
    """Rows, types and values of the other three readers against pyarrow's."""
    table = pq.read_table(path)
    pandas, polars = pd.read_parquet(path), pl.read_parquet(path)
    duck = duckdb.execute("select * from read_parquet(?)", [str(path)])
    types = {
        "pandas": dict(pandas.dtypes.astype(str)),
        "Polars": {name: str(dtype) for name, dtype in polars.schema.items()},
        "DuckDB": {column[0]: str(column[1]) for column in duck.description},
    }
    columns = {
        "pandas": {name: pandas[name].tolist() for name in pandas},
        "Polars": polars.to_dict(as_series=False),
        "DuckDB": by_column(list(types["DuckDB"]), duck.fetchall()),
    }
    for place, reader in enumerate(types):
        expected = {f.name: TYPES.get(str(f.type), ("?",) * 3)[place] for f in table.schema}
        wrong = [f"{n}: {types[reader].get(n)} for {t}" for n, t in expected.items() if types[reader].get(n) != t]
        report.check(f"types in {reader}", not wrong, ", ".join(wrong))
        rows = {len(values) for values in columns[reader].values()}
        report.check(f"rows in {reader}", rows == {table.num_rows}, f"{table.num_rows}")
        expected = {name: table[name].to_pylist() for name in table.column_names}
        other = [name for name, values in expected.items() if not same(columns[reader].get(name), values)]
        report.check(f"values in {reader}", not other, ", ".join(other))


def by_column(names: list[str], rows: list[tuple]) -> dict[str, list]:
    """Rows as columns."""
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def same(found: list | None, expected: list) -> bool:
    """Equal lists. NaN equals NaN and None, which pandas makes of a null."""
    if found is None or len(found) != len(expected):
        return False
    return all(a == b or (missing(a) and missing(b)) for a, b in zip(found, expected))


def missing(value: object) -> bool:
    """Null, or NaN."""
    return value is None or value != value


def check_file(report: Report, path: Path) -> None:
    """All checks of one table."""
    report.attempt("schema", lambda r: check_schema(r, pq.read_schema(path)))
    report.attempt("metadata", check_metadata, path)
    report.attempt("readers", check_readers, path)
    return report


def sample(nullable_seed: bool) -> pa.Table:
    """A table of replicas as `pipeline solve` writes it, or one whose seeds pandas would ruin."""
    some = {"string": "x", "int64": 1, "double": 0.5, "bool": True, "binary": b"\x00"}
    columns = {n: pa.array([some[t]] * 2, t) for n, t in KNOWN["state"].items() if t in some} | {
        "secs": pa.array([None, 0.5], pa.float64()),
        "graph": pa.array(["digits"] * 2), "method": pa.array(["sweep"] * 2), "replica": pa.array([0, 1]),
        "seed": pa.array([2**63 + 1, None if nullable_seed else 7], pa.uint64()), "initial_flips": pa.array([0, 9]),
        "energy": pa.array([0.41, float("nan")]), "flips": pa.array([5, 6]), "state": pa.array([b"\x01", b"\xff"]),
    }  # fmt: skip
    nullable = NULLABLE["state"] | ({"seed"} if nullable_seed else set())
    fields = [pa.field(n, c.type, nullable=n in nullable) for n, c in columns.items()]
    return pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields, dict.fromkeys(METADATA, "x")))


def self_test(report: Report) -> None:
    """A good table passes; one with nullable seeds does not."""
    with tempfile.TemporaryDirectory(prefix="frustration-") as directory:
        for name, nullable in [("good", False), ("bad", True)]:
            path = Path(directory) / f"{name}.parquet"
            pq.write_table(sample(nullable), path, compression="zstd")
            quiet = Quiet(name)
            check_file(quiet, path)
            report.check(f"{name} table is {'rejected' if nullable else 'accepted'}", (quiet.failed > 0) == nullable)


def main() -> None:
    """Checks every file named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--self-test", action="store_true", help="test the checks themselves")
    args = parser.parse_args()
    report = Report("tables")
    if args.self_test:
        self_test(report)
    for path in args.files:
        report.prefix = f"table {path.name}"
        check_file(report, path)
    report.exit()


if __name__ == "__main__":
    main()
