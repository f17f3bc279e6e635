"""MadMiner's HDF5 as an event database: Parquet, and its declaration for the block `eft` of a workspace.

    python to_parquet.py samples.h5 samples.parquet --luminosity 139 > declaration.json

needs h5py, numpy and pyarrow. The weights of the physical benchmarks become columns `weight_0`, `weight_1`, … in pb; the
declaration is of kind `basis_weights`, so that the polynomial is solved when the document is loaded
(spec/event-database.md). Nuisance benchmarks are left out, which is said on stderr; parameters with `transforms`, which
are Python code, are refused.
"""

import argparse
import hashlib
import json
import pathlib
import sys

import h5py
import numpy as np
import pyarrow
import pyarrow.parquet


def texts(dataset):
    return [x.decode() if isinstance(x, bytes) else str(x) for x in dataset[()]]


def physics(file):
    """Names of the parameters, points of the physical benchmarks with their places, exponents of the monomials."""
    names = texts(file["parameters/names"])
    transforms = texts(file["parameters/transforms"]) if "transforms" in file["parameters"] else []
    if any(code.strip() not in ("", "None") for code in transforms):
        sys.exit(f"parameters with transforms are refused: {transforms}")
    points = np.asarray(file["benchmarks/values"], dtype=float)
    nuisance = np.zeros(len(points), dtype=bool)
    if "is_nuisance" in file["benchmarks"]:
        nuisance = np.asarray(file["benchmarks/is_nuisance"]).astype(bool)
    if nuisance.any():
        print(f"left out: {nuisance.sum()} nuisance benchmarks", file=sys.stderr)
    return names, np.flatnonzero(~nuisance), points, np.asarray(file["morphing/components"], dtype=int)


def declaration(arguments, names, points, places, components, observables, table):
    monomials = [[name for name, power in zip(names, row) for _ in range(power)] for row in components]
    columns = [f"weight_{i}" for i in range(len(places))]
    return {
        "name": arguments.name or arguments.parquet.stem,
        "uri": arguments.parquet.name,
        "sha256": hashlib.sha256(arguments.parquet.read_bytes()).hexdigest(),
        "media_type": "application/vnd.apache.parquet",
        "n_rows": table.num_rows,
        "weights": {
            "kind": "basis_weights",
            "parameters": names,
            "basis_points": points[places].tolist(),
            "columns": columns,
            "components": {"monomials": monomials},
        },
        "observables": {name: {"column": name, "unit": arguments.unit.get(name, "1")} for name in observables},
        "normalisation": {
            "kind": "absolute",
            "luminosity": arguments.luminosity,
            "luminosity_unit": "1/fb",
            "weight_unit": "pb",
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hdf5", type=pathlib.Path)
    parser.add_argument("parquet", type=pathlib.Path)
    parser.add_argument("--luminosity", type=float, required=True, help="in 1/fb")
    parser.add_argument("--name", help="of the database [default: that of the file]")
    parser.add_argument("--unit", action="append", default=[], metavar="OBSERVABLE=UNIT", help="[default: 1]")
    arguments = parser.parse_args()
    arguments.unit = dict(pair.split("=", 1) for pair in arguments.unit)
    with h5py.File(arguments.hdf5) as file:
        names, places, points, components = physics(file)
        observables = texts(file["observables/names"])
        values, weights = np.asarray(file["samples/observations"]), np.asarray(file["samples/weights"])
    if weights.shape[1] < len(places) or values.shape != (len(weights), len(observables)):
        sys.exit(f"shapes do not fit: weights {weights.shape}, observations {values.shape}")
    columns = {name: values[:, i].astype(np.float64) for i, name in enumerate(observables)}
    columns |= {f"weight_{i}": weights[:, place].astype(np.float64) for i, place in enumerate(places)}
    for name, column in columns.items():
        if not np.isfinite(column).all():
            sys.exit(f"{name} has entries that are not finite")
    table = pyarrow.table(columns)
    pyarrow.parquet.write_table(table, arguments.parquet, compression="zstd")
    json.dump(declaration(arguments, names, points, places, components, observables, table), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
