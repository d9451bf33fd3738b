"""Algorithm 1 to the letter, slow and readable, as the reference for `pipeline solve --method steepest`.

    python exact_solver.py --npz x.npz

While some local field r_k is negative, flip the node with the most negative one; ties go to the lowest node. f64
throughout, so on integer weights every sum is exact.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from oracle import energy, load_csr, local_fields, symmetric


@dataclass(frozen=True)
class Minimum:
    """Where the descent ended."""

    spins: np.ndarray  # ±1 per node
    energy: float
    n_flips: int


def steepest(a: sp.csr_array, spins: np.ndarray | None = None, max_flips: int | None = None) -> Minimum:
    """Descends from `spins` (all +1 if none) to a local minimum of the frustration of A (`[n][n]`, source = column)."""
    au = symmetric(a)
    spins = np.ones(au.shape[0]) if spins is None else spins.copy()
    fields = local_fields(au, spins)
    n_flips = 0
    while n_flips != max_flips:
        k = int(fields.argmin())  # the first of equals
        if fields[k] >= 0:
            break
        flip(au, spins, fields, k)
        n_flips += 1
    return Minimum(spins, energy(au, spins), n_flips)


def flip(au: sp.csr_array, spins: np.ndarray, fields: np.ndarray, k: int) -> None:
    """Negates spin k and brings the local fields of k and its neighbours up to date."""
    edges = slice(au.indptr[k], au.indptr[k + 1])
    neighbours, weights = au.indices[edges], au.data[edges]
    spins[k] *= -1
    fields[k] *= -1
    fields[neighbours] += 2 * spins[k] * spins[neighbours] * weights


def main() -> None:
    """Prints the energy and the number of flips."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--npz", type=Path, required=True, help="CSR matrix, A[i, j] from source j to target i")
    parser.add_argument("--max-flips", type=int)
    args = parser.parse_args()
    found = steepest(load_csr(args.npz), max_flips=args.max_flips)
    print(f"energy {found.energy:.12f}\nflips {found.n_flips}")


if __name__ == "__main__":
    main()
