"""Writes shapes.root and expected.json, the numbers of full.txt by spec/combine-datacards.md in plain numpy.

Run with a Python that has ROOT 6.40 and numpy, in this folder. Nothing here uses the crate.
"""

import json
import math

import numpy as np
import ROOT

ROOT.TH1.AddDirectory(False)

shp = {
    "data_obs": [14, 22, 9, 3],
    "sig": [1.0, 3.0, 4.0, 0.5],
    "top": [10.0, 12.0, 4.0, 1.0],
    "qcd": [5.0, 3.0, 1.0, 0.25],
    "sig_jesUp": [1.1, 3.3, 4.4, 0.55],
    "sig_jesDown": [0.95, 2.9, 3.7, 0.45],
    "top_jesUp": [11.0, 13.5, 4.5, 1.2],
    "top_jesDown": [9.5, 11.0, 3.5, 0.8],
    "top_jerUp": [10.5, 11.5, 4.6, 0.2],
    "top_jerDown": [9.0, 12.5, 3.9, 1.6],
    "top_btagUp": [10.4, 12.48, 4.16, 1.04],
    "top_btagDown": [9.8, 11.76, 3.92, 0.98],
    "qcd_jerUp": [5.5, 3.1, 0.8, 0.1],
    "qcd_jerDown": [4.4, 2.9, 1.3, 0.6],
}
mcs = {
    "data_obs": [30, 4, 2, 0],
    "sig_m125": [2.0, 1.0, 0.5, 0.25],
    "top_m125": [20.0, 3.0, 1.0, 0.0],
    "qcd_m125": [9.0, 0.6, 0.2, 0.1],
    "sig_m125_jesUp": [2.2, 1.1, 0.5, 0.2],
    "sig_m125_jesDown": [1.9, 0.95, 0.5, 0.3],
    "top_m125_jesUp": [21.0, 3.3, 1.1, 0.0],
    "top_m125_jesDown": [19.0, 2.8, 0.9, 0.0],
    "top_m125_jerUp": [20.5, 2.7, 1.2, 0.0],
    "top_m125_jerDown": [19.5, 3.1, 0.7, 0.0],
}
errors = {
    "sig_m125": [0.2, 0.1, 0.1, 0.05],
    "top_m125": [1.0, 1.5, 0.5, 0.0],
    "qcd_m125": [1.5, 0.1, 0.15, 0.2],
}


def write():
    file = ROOT.TFile("shapes.root", "RECREATE")
    for channel, own, kind in [("shp", shp, ROOT.TH1D), ("mcs", mcs, ROOT.TH1D)]:
        folder = file.mkdir(channel)
        folder.cd()
        for name, contents in own.items():
            histogram = kind(name, "", len(contents), 0, len(contents))
            for i, x in enumerate(contents):
                histogram.SetBinContent(i + 1, x)
                histogram.SetBinError(i + 1, errors.get(name, [0.1 * x for x in contents])[i] if channel == "mcs" else 0)
            histogram.Write()
    file.Close()


def step(y):
    return math.copysign(1, y) if abs(y) >= 1 else 0.125 * y * (y * y * (3 * y * y - 10) + 15)


def power(theta, low, high):
    """Combine's AsymPow."""
    up, down = math.log(high), -math.log(low)
    return math.exp(theta * (0.5 * (up + down) + 0.5 * (up - down) * step(2 * theta)))


def norm(nominal, up, down, theta, scale):
    high, low = sum(up) / sum(nominal), sum(down) / sum(nominal)
    if abs(high - 1) < 1e-3 and abs(low - 1) < 1e-3:
        return 1.0
    return power(theta, low**scale, high**scale)


def vertical(nominal, morphs, normalised):
    """morphs: (up, down, theta, scale). The moved template; of one, or with the integral of the nominal one."""
    nominal = np.array(nominal)
    total = nominal.sum()
    unit = total if normalised else 1.0
    moved = nominal / unit
    region = min([1.0] + [scale for *_, scale in morphs])
    for up, down, theta, scale in morphs:
        up, down = (np.array(side) * total / sum(side) for side in (up, down))
        x = theta * scale
        moved = moved + 0.5 * x * ((up - down) + (up + down - 2 * nominal) * step(x / region)) / unit
    if morphs:
        moved = np.maximum(moved, 1e-9)
    return moved / moved.sum() * total if normalised else moved


def expected(p):
    lumi, xs, band = 1.025 ** p["lumi"], power(p["xs"], 0.9, 1.2), 1.3 ** p["band"]
    inv = 1.25 ** p["inv"]
    def template(own, name, systematics, normalised):
        morphs = [(own[f"{name}_{s}Up"], own[f"{name}_{s}Down"], p[s], scale) for s, scale in systematics]
        factor = math.prod(norm(own[name], *morph) for morph in morphs)
        return vertical(own[name], morphs, normalised), factor
    # shp
    sig, f = template(shp, "sig", [("jes", 1)], True)
    sig = sig * f * p["r"] * lumi * inv * 1.02 ** p["btag"]
    top, f = template(shp, "top", [("jes", 1), ("jer", 0.5), ("btag", 1)], True)
    top = top * f * lumi * xs
    qcd, f = template(shp, "qcd", [("jer", 1)], True)
    qcd = qcd * f * band * p["rq"]
    result = {"model_shp": list(sig + top + qcd)}
    # mcs
    sig, f = template(mcs, "sig_m125", [("jes", 1)], False)
    c = {"sig": f * p["r"] * lumi}
    top, f = template(mcs, "top_m125", [("jes", 1), ("jer", 0.5)], False)
    c["top"] = f * lumi * xs
    qcd, f = template(mcs, "qcd_m125", [], False)
    c["qcd"] = band * p["rq"] * f
    values = {"sig": sig * c["sig"], "top": top * c["top"], "qcd": qcd * c["qcd"]}
    bins = sum(values.values())
    e = {name: np.array(errors[f"{name}_m125"]) * c[name] for name in c}
    for b in range(4):
        # Backgrounds alone at the start: qcd times 1.5.
        n = mcs["top_m125"][b] + 1.5 * mcs["qcd_m125"][b]
        s = errors["top_m125"][b] ** 2 + (1.5 * errors["qcd_m125"][b]) ** 2
        if s == 0:
            continue
        if int(0.5 + n * n / s) > 8:
            bins[b] += p[f"prop_binmcs_bin{b}"] * math.sqrt(sum(e[name][b] ** 2 for name in c))
            continue
        for name in c:
            t, u = mcs[f"{name}_m125"][b], errors[f"{name}_m125"][b]
            if u == 0:
                continue
            x = p[f"prop_binmcs_bin{b}_{name}"]
            if t > 0 and t >= 0.999 * u and int(0.5 + t * t / (u * u)) <= 8:
                bins[b] += (x - 1) * values[name][b]
            else:
                bins[b] += x * e[name][b]
    result["model_mcs"] = list(bins)
    # cnt
    rf = p["rq"] * p["kappa"] / (1 + p["rq"])
    btag = power(p["btag"], 0.98, 1.05)
    result["model_cnt"] = [2.5 * p["r"] * lumi * inv * 1.03 ** p["btag"] + 6 * rf * lumi * xs * btag
                           + 0.25 * p["theta42side"] * p["rq"] * band]
    return result


def constraints(p):
    """−2 ln L of the constraints without constants."""
    unit = ["lumi", "xs", "inv", "jes", "jer", "btag"] + [n for n in p if n.startswith("prop") and n not in POISSON]
    value = sum(p[n] ** 2 for n in unit) + ((p["kappa"] - 1.1) / 0.2) ** 2
    value += 2 * (p["theta42side"] - 6 * math.log(p["theta42side"]))
    return value + sum(2 * (n * p[name] - n * math.log(n * p[name])) for name, n in POISSON.items())


# Names of the algorithm, found by hand from the templates: n = t²/u² of each process in bins 1, 2 and 3.
POISSON = {"prop_binmcs_bin1_top": 4, "prop_binmcs_bin2_top": 4, "prop_binmcs_bin2_qcd": 2}
GAUSSIAN = ["prop_binmcs_bin0", "prop_binmcs_bin1_sig", "prop_binmcs_bin1_qcd", "prop_binmcs_bin2_sig",
            "prop_binmcs_bin3_sig", "prop_binmcs_bin3_qcd"]


def main():
    write()
    start = {"r": 1.0, "lumi": 0.0, "xs": 0.0, "inv": 0.0, "band": 0.0, "jes": 0.0, "jer": 0.0, "btag": 0.0,
             "theta42side": 7.0, "kappa": 1.1, "rq": 1.5}
    start |= {name: 1.0 for name in POISSON} | {name: 0.0 for name in GAUSSIAN}
    random = np.random.default_rng(7)
    points = [start]
    for width in (0.3, 0.3, 0.8, 0.8, 1.7, 3.5):
        point = {name: float(random.normal(0, width)) for name in start}
        point |= {"r": float(random.uniform(0, 3)), "band": float(random.uniform(-1, 1)), "inv": 0.0,
                  "theta42side": float(random.uniform(3, 12)), "kappa": float(random.uniform(0.5, 1.8)),
                  "rq": float(random.uniform(0.5, 4))}
        point |= {name: float(random.uniform(0.3, 2)) for name in POISSON}
        point |= {name: float(random.normal(0, 0.3)) for name in GAUSSIAN}
        points.append(point)
    data = {"model_shp": shp["data_obs"], "model_mcs": mcs["data_obs"], "model_cnt": [11]}
    out = []
    for p in points:
        means = expected(p)
        value = constraints(p)
        for channel, own in means.items():
            assert min(own) > 0, (p, own)
            value += sum(2 * (m - n * math.log(m)) for m, n in zip(own, data[channel]))
        out.append({"parameters": p, "expected": {c: [float(x) for x in m] for c, m in means.items()}, "twice_nll": value})
    with open("expected.json", "w") as file:
        json.dump({"provenance": "make.py, numpy " + np.__version__, "points": out}, file, indent=1)


main()
