#!/usr/bin/env python3
"""Writes workspace.json: a Poisson channel, two unfolded measurements and a set of electroweak precision observables in
one document. All numbers are invented, of realistic size.

Usage: python examples/global/generate.py   (standard library only)
"""
import json
import pathlib
import re

HERE = pathlib.Path(__file__).parent

COEFFICIENTS = {"ctG": [-1.5, 1.5], "cQq83": [-3.0, 3.0], "cW": [-1.0, 1.0], "cHWB": [-0.5, 0.5], "cHD": [-0.5, 0.5]}


def quadratic(sm, linear, squares):
    """Monomials and coefficients per bin: the prediction, its interference and its squares relative to it."""
    monomials, rows = [[]], [sm]
    for name, slope in linear.items():
        monomials.append([name])
        rows.append([round(x * n, 6) for x, n in zip(slope, sm)])
    for names, square in squares.items():
        monomials.append(names.split())
        rows.append([round(x * n, 6) for x, n in zip(square, sm)])
    return monomials, rows


def channel():
    """Counts in bins of the mass of top-quark pairs, with backgrounds and systematics."""
    top = [4100.0, 2350.0, 1020.0, 410.0, 96.0, 21.0]
    monomials, coefficients = quadratic(
        top,
        {"ctG": [0.27, 0.28, 0.29, 0.30, 0.31, 0.32], "cQq83": [0.008, 0.013, 0.025, 0.05, 0.11, 0.24]},
        {"ctG ctG": [0.03, 0.04, 0.06, 0.09, 0.15, 0.27], "cQq83 cQq83": [0.001, 0.003, 0.008, 0.022, 0.075, 0.31], "cQq83 ctG": [0.002, 0.003, 0.005, 0.01, 0.02, 0.04]},
    )
    response = {"name": "smeft", "type": "eft_polynomial", "data": {"mode": "absolute", "monomials": monomials, "coefficients": coefficients, "truncation": "none"}}
    shape = {"name": "jes", "type": "histosys", "data": {"lo_data": [4160.0, 2340.0, 1000.0, 397.0, 91.0, 19.6], "hi_data": [4035.0, 2358.0, 1041.0, 424.0, 101.5, 22.5]}}
    scale = lambda name, lo, hi: {"name": name, "type": "normsys", "data": {"lo": lo, "hi": hi}}
    signal = {"name": "ttbar", "data": top, "modifiers": [response, shape, scale("lumi_13", 0.984, 1.016), scale("xs_ttbar", 0.95, 1.05)]}
    other = {"name": "wjets", "data": [310.0, 205.0, 120.0, 61.0, 19.5, 6.2], "modifiers": [scale("lumi_13", 0.984, 1.016), scale("xs_wjets", 0.85, 1.2)]}
    return {"name": "tt_mass", "samples": [signal, other]}, [4498.0, 2610.0, 1189.0, 462.0, 129.0, 24.0]


def systematic(name, correlation, values, kind="additive", **more):
    return {"name": name, "correlation": correlation, "kind": kind, "values": values, **more}


def unfolded():
    """A differential cross section of W pairs with a full covariance, in fb/GeV."""
    sm = [11.2, 14.5, 8.1, 3.05, 0.92, 0.105]
    monomials, coefficients = quadratic(
        sm,
        {"cW": [0.004, 0.006, 0.012, 0.03, 0.08, 0.2], "cHWB": [0.10, 0.11, 0.12, 0.14, 0.18, 0.25], "cHD": [0.03, 0.03, 0.04, 0.04, 0.05, 0.06]},
        {"cW cW": [0.02, 0.05, 0.15, 0.5, 1.9, 9.5], "cHWB cHWB": [0.01, 0.01, 0.02, 0.03, 0.06, 0.15], "cHWB cW": [0.0, 0.01, 0.02, 0.04, 0.1, 0.3]},
    )
    errors = [0.35, 0.4, 0.28, 0.16, 0.085, 0.019]
    rho = lambda i, j: 1.0 if i == j else {1: -0.18, 2: 0.04}.get(abs(i - j), 0.0)
    covariance = [[round(rho(i, j) * errors[i] * errors[j], 8) for j in range(6)] for i in range(6)]
    return {
        "name": "ww_pt",
        "data": [11.65, 14.1, 8.45, 3.2, 0.86, 0.131],
        "prediction": {"kind": "polynomial", "monomials": monomials, "coefficients": coefficients, "truncation": "none"},
        "covariance": covariance,
        "multiplicative": "t0",
        "systematics": [
            systematic("lumi_13", "name", [0.016] * 6, "multiplicative"),
            systematic("jes", "name", [-0.1, -0.05, 0.02, 0.03, 0.015, 0.003]),
            systematic("background_ww", "measurement", [0.12, 0.1, 0.06, 0.03, 0.012, 0.002]),
            systematic("scale_ww", "name", [0.02, 0.02, 0.025, 0.03, 0.04, 0.06], "multiplicative", distribution="flat"),
        ],
    }


def asymmetry():
    """The charge asymmetry of top quarks in two ranges of the mass: a ratio of polynomials."""
    difference = {"power": 1, "monomials": [[], ["cQq83"], ["cQq83", "cQq83"]], "coefficients": [[0.62, 0.105], [0.11, 0.06], [0.012, 0.019]]}
    total = {"power": -1, "monomials": [[], ["ctG"], ["ctG", "ctG"], ["cQq83"], ["cQq83", "cQq83"]], "coefficients": [[95.0, 9.6], [26.0, 2.9], [4.0, 0.7], [1.4, 0.5], [0.35, 0.29]]}
    return {
        "name": "top_charge_asymmetry",
        "data": [0.0068, 0.0142],
        "uncorrelated": [0.0015, 0.0049],
        "prediction": {"kind": "rational", "factors": [difference, total], "expansion": "full", "factor_truncation": "none"},
    }


def precision():
    """Electroweak precision observables, linear in the coefficients: m_W, sin²θ_eff, Γ_Z, A_b."""
    sm, data, errors = [80.356, 0.23153, 2.4942, 0.9347], [80.369, 0.23148, 2.4955, 0.923], [0.0133, 0.00016, 0.0023, 0.02]
    rho = [[1.0, -0.1, 0.0, 0.0], [-0.1, 1.0, -0.05, 0.02], [0.0, -0.05, 1.0, 0.0], [0.0, 0.02, 0.0, 1.0]]
    theory = [0.006, 0.00005, 0.0006, 0.0001]
    return {
        "name": "ewpo",
        "data": data,
        "covariance": [[round(rho[i][j] * errors[i] * errors[j], 14) for j in range(4)] for i in range(4)],
        "theory_covariance": [[theory[i] ** 2 if i == j else 0.0 for j in range(4)] for i in range(4)],
        "prediction": {
            "kind": "polynomial",
            "monomials": [[], ["cHWB"], ["cHD"]],
            "coefficients": [sm, [-2.07, 0.0101, -0.027, -0.0065], [-0.93, 0.0049, -0.093, -0.0031]],
            "truncation": {"max_np_order": 1},
        },
    }


def main():
    counts, observed = channel()
    basis = {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": 1.0, "input_scheme": "MW_MZ_GF", "scale_GeV": 91.1876}
    document = {
        "channels": [counts],
        "eft": {
            "version": "0.1.0",
            "basis": basis,
            "wilson_coefficients": [{"name": name, "bounds": bounds} for name, bounds in COEFFICIENTS.items()],
            "gaussian_measurements": [unfolded(), asymmetry(), precision()],
        },
        "measurements": [{"name": "global", "config": {"poi": "ctG", "parameters": []}}],
        "observations": [{"name": "tt_mass", "data": observed}],
        "version": "1.0.0",
    }
    collapse = lambda m: re.sub(r"\s+", " ", m.group(0)).replace("[ ", "[").replace(" ]", "]")
    (HERE / "workspace.json").write_text(re.sub(r"\[[^\[\]{}]*\]", collapse, json.dumps(document, indent=1)) + "\n")


if __name__ == "__main__":
    main()
