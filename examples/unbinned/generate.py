#!/usr/bin/env python3
"""Writes the files of this folder: single events of a made-up process whose density is known in closed form, the outputs
that three networks of an ensemble might give for them, and the two documents.

An event has an energy x > 0 and an angle z in [-1, 1]. Without new physics p(x, z) = exp(-x) 3/8 (1 + z^2); with the coefficients
c_even and c_odd the number of events is multiplied by r = (1 + c_even A)^2 + (c_odd B)^2, A = 0.3 x (z + 0.4), B = 0.3 x sqrt(1 - z^2).
The energy scale moves x by 2 % a standard deviation. "Networks" are the exact columns times smooth functions near one.
Usage: python examples/unbinned/generate.py   (numpy, pyarrow)
"""
import hashlib
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
RNG = np.random.default_rng(1405)
EVENTS, SCALE, TRUTH, OTHER = 1500.0, 0.02, (0.25, 0.3), (0.5, 0.5)
MONOMIALS = [["c_even"], ["c_even", "c_even"], ["c_odd", "c_odd"]]
# Means of 2 A, A^2 and B^2 with E[x] = 1, E[x^2] = 2, E[z] = 0, E[z^2] = 0.4.
MEANS = [0.24, 0.09 * 2 * (0.4 + 0.16), 0.09 * 2 * 0.6]


def amplitudes(x, z):
    return 0.3 * x * (z + 0.4), 0.3 * x * np.sqrt(1 - z * z)


def ratio(x, z, c):
    a, b = amplitudes(x, z)
    return (1 + c[0] * a) ** 2 + (c[1] * b) ** 2


def draw(n, c):
    """n events of the density at a point: those of the standard model, each kept with a probability in proportion to r."""
    kept = np.zeros((2, 0))
    while kept.shape[1] < n:
        x = RNG.exponential(size=200_000)
        z = RNG.uniform(-1, 1, x.size)
        z = np.where(RNG.uniform(0, 2, x.size) < 1 + z * z, z, np.nan)
        # r < 60 up to x = 12, which no event reaches that is kept.
        fine = ~np.isnan(z) & (x < 12)
        x, z = x[fine], z[fine]
        r = ratio(x, z, c)
        assert r.max() < 60
        keep = RNG.uniform(0, 60, x.size) < r if any(c) else np.ones(x.size, bool)
        kept = np.concatenate([kept, np.stack([x, z])[:, keep]], axis=1)
    return kept[:, :n]


def columns(x, z):
    a, b = amplitudes(x, z)
    exact = {"k_1": 2 * a, "k_11": a * a, "k_22": b * b}
    out = {}
    for network in range(3):
        wiggle = 1 + 0.03 * (network - 1) * np.sin(x + network) + 0.01 * z * (network + 1)
        out |= {f"{name}_{network}": values * wiggle for name, values in exact.items()}
    # exp(-x/(1 + a nu))/(1 + a nu) against exp(-x), to second order in nu.
    return out | {"up": SCALE * (x - 1), "up2": -(SCALE**2) * (x - 0.5)}


def write(name, events):
    path = HERE / name
    table = pa.table({key: values.astype(np.float32) for key, values in columns(*events).items()})
    pq.write_table(table, path, compression="zstd")
    return {
        "uri": name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "media_type": "application/vnd.apache.parquet",
        "n_rows": events.shape[1],
    }


def document(observed, reference):
    names = lambda network: [f"{name}_{network}" for name in ("k_1", "k_11", "k_22")]
    signal = {
        "name": "signal",
        "yields": {
            "kind": "polynomial",
            "monomials": [[], *MONOMIALS],
            "coefficients": [EVENTS, *(EVENTS * m for m in MEANS)],
            "truncation": "none",
        },
        "yield_systematics": {"lumi": {"kind": "power", "value": 1.02}},
        "ratio": {"kind": "polynomial", "constant": 1.0, "monomials": MONOMIALS, "columns": names(0), "truncation": "none"},
        "ratio_of": "yields",
        "systematics": {"energy_scale": {"kind": "log_quadratic", "linear": "up", "quadratic": "up2"}},
        "replicas": {"central": "mean_ratio", "columns": [names(1), names(2)], "nuisances": ["net_0", "net_1", "net_2"]},
    }
    term = {"name": "learned", "events": observed, "reference": {"events": reference}, "components": [signal]}
    return {
        "channels": [],
        "observations": [],
        "measurements": [{"name": "measurement", "config": {"poi": "c_even", "parameters": []}}],
        "version": "1.0.0",
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [{"name": "c_even", "bounds": [-2, 2]}, {"name": "c_odd", "bounds": [-2, 2]}],
            "unbinned_terms": [term],
        },
    }


def main():
    expected = EVENTS * (1 + MEANS[0] * TRUTH[0] + MEANS[1] * TRUTH[0] ** 2 + MEANS[2] * TRUTH[1] ** 2)
    observed = write("observed.parquet", draw(RNG.poisson(expected), TRUTH))
    reference = write("reference.parquet", draw(3000, (0, 0)))
    independent = write("independent.parquet", draw(3000, OTHER))
    for name, table in (("workspace", reference), ("independent", independent)):
        (HERE / f"{name}.json").write_text(json.dumps(document(observed, table), indent=1) + "\n")


if __name__ == "__main__":
    main()
