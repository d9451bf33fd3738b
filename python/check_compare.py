"""Are the statistics of `pipeline compare` those of its tables, also where p is far below the smallest double?

    python check_compare.py --pipeline BIN
    python check_compare.py --self-test

Made-up tables of replicas and null models are compared, and every column of the summary is computed again with 60
digits by mpmath, from the energies as they are in the tables. Where scipy.stats.ttest_ind(equal_var=False) has a
p-value at all, that has to agree, too.
"""

import argparse
import itertools
from dataclasses import dataclass, field
from pathlib import Path

import mpmath as mp
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

from check_tables import KNOWN, METADATA, NULLABLE
from oracle import Pipeline, Quiet, Report, arguments, read_rows, with_pipeline

mp.mp.dps = 60
TOLERANCE = 1e-11  # relative; of log10 p, where it is near 0, relative to 1
SCIPY_TOLERANCE = 1e-8  # relative, of p
CASES = {"n1": ("n1", None), "n2": ("n2", None), "n3-he": ("n3", "he"), "n3-xavier": ("n3", "xavier")}
REFERENCES = {"real": [], "n1": ["real"], "n2": ["real", "n1"], "n3-he": ["real", "n1"], "n3-xavier": ["real", "n1"]}
NUMBERS = ["n", "mean", "sd", "least", "welch_t", "degrees_of_freedom", "log10_p", "cohens_d"]


@dataclass(frozen=True)
class Scenario:
    """Energies of each case; `what` says what is peculiar about them."""

    what: str
    energies: dict[str, np.ndarray] = field(repr=False)


def normal(rng: np.random.Generator, n: int, mean: float, sd: float) -> np.ndarray:
    """Energies of one case."""
    return mean + sd * rng.standard_normal(n)


def scenarios() -> list[Scenario]:
    """From cases that hardly differ to p-values of 1e-3000, and the ends of the definitions."""
    rng = np.random.default_rng(0)

    def draw(**cases: tuple[int, float, float]) -> dict[str, np.ndarray]:
        return {name.replace("_", "-"): normal(rng, *numbers) for name, numbers in cases.items()}

    return [
        Scenario("as in the paper", draw(
            real=(80, 0.3979, 3e-4), n1=(160, 0.4129, 5e-4), n2=(160, 0.43, 4e-4),
            n3_he=(160, 0.4371, 2e-4), n3_xavier=(160, 0.4375, 2e-4),
        )),
        Scenario("hardly different", draw(real=(80, 0.4, 1e-2), n1=(80, 0.401, 1e-2), n2=(7, 0.402, 3e-2))),
        Scenario("two values each", draw(real=(2, 0.4, 1e-3), n1=(2, 0.41, 1e-2), n3_he=(2, 0.44, 1e-4))),
        Scenario("very narrow", draw(real=(80, 0.1, 1e-9), n1=(80, 0.9, 1e-9), n2=(80, 0.5, 1e-12))),
        Scenario("many values", draw(real=(3000, 0.40, 1e-3), n1=(2000, 0.41, 1e-3), n2=(2500, 0.41, 2e-3))),
        Scenario("one case without spread", {
            "real": np.full(80, 0.1), "n1": normal(rng, 80, 0.2, 1e-3),
            "n2": np.full(80, 0.3), "n3-he": np.full(9, 0.1),
        }),
        Scenario("a single value", {"real": np.array([0.4]), "n1": normal(rng, 8, 0.5, 1e-2), "n2": np.array([0.5])}),
    ]  # fmt: skip


def summarise(values: np.ndarray) -> dict:
    """n, mean, standard deviation and least value, the numbers as mpmath's."""
    exact = [mp.mpf(float(value)) for value in values]
    mean = mp.fsum(exact) / len(exact)
    sd = mp.sqrt(mp.fsum((value - mean) ** 2 for value in exact) / (len(exact) - 1)) if len(exact) > 1 else None
    return {"n": len(exact), "mean": mean, "sd": sd, "least": min(exact)}


def log10_tail(t: mp.mpf, dof: mp.mpf) -> mp.mpf:
    """log10 of P(|T| ≥ |t|)."""
    return mp.log10(mp.betainc(dof / 2, mp.mpf(1) / 2, 0, dof / (dof + t * t), regularized=True))


def contrast(case: dict, reference: dict | None) -> dict:
    """Welch's test and Cohen's d of two summaries; None for what does not exist."""
    undefined = dict.fromkeys(NUMBERS[4:])
    if reference is None or case["sd"] is None or reference["sd"] is None:
        return undefined
    difference = case["mean"] - reference["mean"]
    u, v = (side["sd"] ** 2 / side["n"] for side in (case, reference))
    if u + v == 0:
        return undefined if difference else {"welch_t": 0, "log10_p": 0, "cohens_d": 0}
    free = case["n"] - 1, reference["n"] - 1
    dof = (u + v) ** 2 / (u**2 / free[0] + v**2 / free[1])
    t = difference / mp.sqrt(u + v)
    pooled = mp.sqrt((free[0] * case["sd"] ** 2 + free[1] * reference["sd"] ** 2) / sum(free))
    return {"welch_t": t, "degrees_of_freedom": dof, "log10_p": log10_tail(t, dof), "cohens_d": difference / pooled}


def expected_rows(energies: dict[str, np.ndarray]) -> list[dict]:
    """The rows of the summary, in order."""
    rows = []
    for case in [name for name in REFERENCES if name in energies]:
        for reference in [name for name in REFERENCES[case] if name in energies] or [None]:
            own, other = summarise(energies[case]), reference and summarise(energies[reference])
            rows.append({"case": case, "reference": reference} | own | contrast(own, other))
    return rows


def error(column: str, found: float | None, expected: mp.mpf | None) -> float:
    """Relative error, of 0 and of small log10 p the absolute one; infinite if only one of the numbers exists."""
    if found is None or expected is None:
        return 0.0 if found is expected else float("inf")
    scale = max(abs(expected), 1) if column == "log10_p" else abs(expected) or 1
    return float(abs(mp.mpf(found) - expected) / scale)


def check_rows(report: Report, found: list[dict], expected: list[dict]) -> None:
    """Every column of a summary."""
    pairs = [[(row["case"], row["reference"]) for row in rows] for rows in (found, expected)]
    if not report.check("rows", pairs[0] == pairs[1], ", ".join(f"{case}/{other}" for case, other in pairs[0])):
        return
    for column in NUMBERS:
        wanted = [row for row in zip(found, expected) if column in row[1]]
        worst = max(error(column, left[column], right[column]) for left, right in wanted)
        values = [row[column] for row in found if row[column] is not None]
        detail = f"error {worst:.1e}, {min(values):.6g} to {max(values):.6g}" if values else "all null"
        report.check(column, worst <= TOLERANCE, detail)


def check_scipy(report: Report, found: list[dict], energies: dict[str, np.ndarray]) -> None:
    """p-values that a double can hold, against scipy's own test."""
    compared, worst = 0, 0.0
    for row in found:
        if row["log10_p"] is None or row["log10_p"] < -290:
            continue
        pair = [energies[row[side]] for side in ("case", "reference")]
        if min(map(np.ptp, pair)) == 0:  # scipy warns, rightly for its way of summing
            continue
        p = stats.ttest_ind(*pair, equal_var=False).pvalue
        compared, worst = compared + 1, max(worst, abs(10 ** row["log10_p"] / p - 1))
    if compared:
        report.check("p-values of scipy", worst <= SCIPY_TOLERANCE, f"{compared} of them, error {worst:.1e}")


def write_table(path: Path, known: str, rows: list[dict]) -> None:
    """A table of the types that `pipeline` writes; columns that a row does not name are 0, empty or null."""
    empty = {"string": "", "int64": 0, "uint64": 0, "double": 0.0, "bool": True, "binary": b""}
    types = {"string": pa.string(), "double": pa.float64(), "bool": pa.bool_(), "binary": pa.binary()}
    columns, fields = [], []
    for name, kind in KNOWN[known].items():
        null = name in NULLABLE.get(known, ())
        kind_of = types.get(kind) or pa.type_for_alias(kind)
        columns.append(pa.array([row.get(name, None if null else empty[kind]) for row in rows], kind_of))
        fields.append(pa.field(name, kind_of, nullable=null))
    schema = pa.schema(fields, dict.fromkeys(METADATA, "made up"))
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path, compression="zstd")


def write_tables(directory: Path, energies: dict[str, np.ndarray]) -> list[object]:
    """A table of replicas and one table for each null model; returns the flags that name them."""
    same = {"graph": "made up", "method": "anneal"}
    real, flags = directory / "real.parquet", ["--real", directory / "real.parquet"]
    write_table(real, "state", [same | {"replica": k, "energy": float(e)} for k, e in enumerate(energies["real"])])
    for case, (kind, distribution) in CASES.items():
        if case in energies:
            same_case = same | {"kind": kind, "distribution": distribution}
            runs = itertools.product(range(len(energies[case])), range(2))  # two runs on each null model
            numbered = zip(energies[case], runs)
            rows = [same_case | {"index": i, "instance": j, "energy": float(e)} for e, (i, j) in numbered]
            write_table(directory / f"{case}.parquet", "instance", rows)
            flags += ["--null", directory / f"{case}.parquet"]
    return flags


def check_scenario(report: Report, pipeline: Pipeline, number: int, scenario: Scenario) -> None:
    """One comparison."""
    report.prefix = f"compare {scenario.what}"
    directory = pipeline.directory / f"compare{number}"  # apart from the tables that the binary wrote
    directory.mkdir()
    summary = pipeline.directory / f"summary{number}.parquet"
    stdout = pipeline.run("compare", "--quiet", *write_tables(directory, scenario.energies), "-o", summary)
    found = read_rows(summary)
    report.check("a line per row on stdout", len(stdout.splitlines()) == len(found) + 1, f"{len(found)}")
    check_rows(report, found, expected_rows(scenario.energies))
    check_scipy(report, found, scenario.energies)


def self_test(report: Report) -> None:
    """The reference agrees with closed forms, accepts itself, and rejects each number that is a little wrong."""
    for t in map(mp.mpf, ("0.25", "3", "1e50")):
        cauchy = mp.log10(2 * mp.atan(1 / t) / mp.pi)
        report.check(f"one degree of freedom, t {mp.nstr(t)}", abs(log10_tail(t, mp.mpf(1)) - cauchy) < 1e-40)
        two = mp.log10(1 - t / mp.sqrt(2 + t * t)) if t < 1e20 else mp.log10(1 / t**2)
        report.check(f"two degrees of freedom, t {mp.nstr(t)}", abs(log10_tail(t, mp.mpf(2)) - two) < 1e-30)
    energies = scenarios()[0].energies
    good = expected_rows(energies)
    rounded = [{key: float(cell) if isinstance(cell, mp.mpf) else cell for key, cell in row.items()} for row in good]
    quiet = Quiet("good")
    check_rows(quiet, rounded, good)
    check_scipy(quiet, rounded, energies)
    report.check("a good summary is accepted", quiet.failed == 0 and quiet.passed > 0)
    for column, change in itertools.product(NUMBERS, (lambda value: value * (1 + 1e-9), lambda value: None)):
        wrong = [row | {column: change(row[column])} if row["case"] == "n2" else row for row in rounded]
        quiet = Quiet("bad")
        check_rows(quiet, wrong, good)
        report.check(f"{column} {wrong[2][column]} is rejected", quiet.failed > 0)


def check_binary(report: Report, pipeline: Pipeline) -> None:
    """All scenarios."""
    for number, scenario in enumerate(scenarios()):
        report.attempt(scenario.what, check_scenario, pipeline, number, scenario)


def main() -> None:
    """Reads the arguments and runs the checks."""
    parser = arguments(__doc__)
    parser.add_argument("--self-test", action="store_true", help="test the reference itself; needs no binary")
    args: argparse.Namespace = parser.parse_args()
    report = Report("compare")
    if args.self_test:
        self_test(report)
    else:
        with_pipeline(args, lambda pipeline: check_binary(report, pipeline))
    report.exit()


if __name__ == "__main__":
    main()
