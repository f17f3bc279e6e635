"""An exponential background and a Gaussian signal whose mean is free: the document tests/hs3/free_mean.json, and what RooFit
has for it, for tests/hs3/free_mean.rs.

python tests/peer/hs3_free_mean.py --document   # writes the document: 230 events of Python's own generator
python tests/peer/hs3_free_mean.py              # RooFit's minima of it, by Minuit2 from several means

At a strength of zero the mean has no effect. RooFit's fits there are those of the background alone.
"""

import json
import math
import random
import sys
from pathlib import Path

from scipy.optimize import brentq
from scipy.stats import norm

DOCUMENT = Path(__file__).parent.parent / "hs3_free_mean.json"
LOW, HIGH = 100.0, 180.0
# From these means each conditional fit begins; the lowest minimum counts.
MEANS = [112.0, 118.0, 125.0, 132.0, 140.0, 150.0, 160.0, 168.0]


def events():
    generator = random.Random(2026)
    span = 1.0 - math.exp(-0.03 * (HIGH - LOW))
    background = [LOW - math.log(1.0 - span * generator.random()) / 0.03 for _ in range(200)]
    signal = [generator.gauss(126.0, 2.0) for _ in range(30)]
    return [[round(x, 3)] for x in background + signal]


def regular(hole, peak):
    """Quantiles of the background without those of a range, and some events at one place."""
    span = 1.0 - math.exp(-0.03 * (HIGH - LOW))
    quantiles = [LOW - math.log(1.0 - span * (i + 0.5) / 300) / 0.03 for i in range(300)]
    return [[round(x, 3)] for x in quantiles if not hole[0] < x < hole[1]] + [[x] for x in peak]


# By the names of data and analysis: a signal; a hole where the mean begins; a hole there, and a peak elsewhere.
DATA = {
    "search": events(),
    "hole": regular((115.0, 135.0), []),
    "elsewhere": regular((118.0, 132.0), [149.0 + 0.2 * i for i in range(11)]),
}
# Of the analysis of the hole alone.
NARROW = (120.0, 130.0)


def document():
    axes = [("signal", 0.0, 100.0), ("background", 10.0, 1000.0), ("c", 0.001, 0.2), ("m", 110.0, 170.0)]
    values = {"signal": 20.0, "background": 200.0, "c": 0.03, "m": 125.0}
    return {
        "metadata": {"hs3_version": "0.2"},
        "distributions": [
            {"name": "p", "type": "mixture_dist", "summands": ["peak", "falling"],
             "coefficients": ["signal", "background"], "extended": True},
            {"name": "peak", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": 2.0},
            {"name": "falling", "type": "exponential_dist", "x": "x", "c": "c"},
        ],
        "data": [{"name": name, "type": "unbinned", "axes": [{"name": "x", "min": LOW, "max": HIGH}], "entries": entries}
                 for name, entries in DATA.items()],
        "likelihoods": [{"name": f"L_{name}", "distributions": ["p"], "data": [name]} for name in DATA],
        "domains": [{"name": "default_domain", "type": "product_domain",
                     "axes": [{"name": n, "min": low, "max": high} for n, low, high in axes]},
                    {"name": "narrow", "type": "product_domain",
                     "axes": [{"name": "m", "min": NARROW[0], "max": NARROW[1]}]}],
        "parameter_points": [{"name": "default_values",
                              "parameters": [{"name": n, "value": v} for n, v in values.items()]}],
        "analyses": [{"name": name, "likelihood": f"L_{name}", "parameters_of_interest": ["signal"],
                      "domains": (["narrow"] if name == "hole" else []) + ["default_domain"], "init": "default_values"}
                     for name in DATA],
    }


class RooFitModel:
    def __init__(self, content):
        import ROOT

        self.ROOT = ROOT
        ROOT.gROOT.SetBatch(True)
        ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
        ROOT.RooRandom.randomGenerator().SetSeed(1)
        axes = {a["name"]: a for a in content["domains"][0]["axes"]}
        points = {p["name"]: p["value"] for p in content["parameter_points"][0]["parameters"]}
        self.start = points
        self.x = ROOT.RooRealVar("x", "x", LOW, HIGH)
        self.v = {n: ROOT.RooRealVar(n, n, points[n], a["min"], a["max"]) for n, a in axes.items()}
        # RooExponential is exp(c x) unless it is told to negate.
        self.peak = ROOT.RooGaussian("peak", "", self.x, self.v["m"], ROOT.RooFit.RooConst(2.0))
        self.falling = ROOT.RooExponential("falling", "", self.x, self.v["c"], True)
        self.pdf = ROOT.RooAddPdf("p", "", ROOT.RooArgList(self.peak, self.falling),
                                  ROOT.RooArgList(self.v["signal"], self.v["background"]))
        self.data = {}
        for data in content["data"]:
            self.data[data["name"]] = ROOT.RooDataSet(data["name"], "", ROOT.RooArgSet(self.x))
            for (x,) in data["entries"]:
                self.x.setVal(x)
                self.data[data["name"]].add(ROOT.RooArgSet(self.x))

    def minimum(self, data, signal=None, mean=None):
        """(-ln L, parameters) at the lowest minimum over starts, with the strength or the mean held where given."""
        nll = self.pdf.createNLL(data, self.ROOT.RooFit.Extended(True))
        best = None
        means = [x for x in MEANS if self.v["m"].getMin() <= x <= self.v["m"].getMax()] or [125.0]
        for start in means if mean is None else [mean]:
            for name, variable in self.v.items():
                variable.setVal(self.start[name])
                variable.setConstant(False)
            self.v["m"].setVal(start)
            if mean is not None:
                self.v["m"].setConstant(True)
            if signal is not None:
                self.v["signal"].setVal(signal)
                self.v["signal"].setConstant(True)
            minimizer = self.ROOT.RooMinimizer(nll)
            minimizer.setPrintLevel(-1)
            minimizer.setStrategy(2)
            minimizer.setEps(1e-6)
            minimizer.setOffsetting(False)
            status = minimizer.minimize("Minuit2", "migrad")
            found = (nll.getVal(), {n: v.getVal() for n, v in self.v.items()}, status)
            if best is None or found[0] < best[0]:
                best = found
        return best


def limit(q, q_asimov):
    """The upper limit at CLs = 0.05 (arXiv:1007.1727, qtilde) from the two statistics as functions of the strength."""
    def excess(signal):
        value, root = q(signal), math.sqrt(q_asimov(signal))
        t = math.sqrt(value) - root if math.sqrt(value) <= root else (value - root**2) / (2.0 * root)
        return norm.sf(t + root) / norm.sf(t) - 0.05

    return brentq(excess, 42.0, 60.0, xtol=1e-5)


def main():
    if "--document" in sys.argv:
        parts = [f"{json.dumps(key)}: {json.dumps(part)}" for key, part in document().items()]
        DOCUMENT.write_text("{" + ",\n".join(parts) + "}\n")
        return
    model = RooFitModel(json.loads(DOCUMENT.read_text()))
    data = model.data["search"]
    best = model.minimum(data)
    found = {"best": best, "zero": [model.minimum(data, 0.0), model.minimum(data, 0.0, 125.0)]}
    found["q0"] = 2.0 * (found["zero"][0][0] - best[0])
    # The Asimov data of the background: RooStats' own, a hundred bins.
    for name, value in found["zero"][1][1].items():
        model.v[name].setVal(value)
    observables = model.ROOT.RooArgSet(model.x)
    asimov = model.ROOT.RooStats.AsymptoticCalculator.GenerateAsimovData(model.pdf, observables)
    of_asimov = model.minimum(asimov)

    def q(signal):
        return 2.0 * (model.minimum(data, signal)[0] - best[0]) if signal > best[1]["signal"] else 0.0

    def q_asimov(signal):
        return 2.0 * (model.minimum(asimov, signal)[0] - of_asimov[0])

    found["asimov"] = {"events": asimov.sumEntries(), "best": of_asimov}
    for signal in [10.0, 40.0, 45.0]:
        found[f"at {signal}"] = {"q": q(signal), "q_A": q_asimov(signal)}
    found["limit"] = limit(q, q_asimov)
    for name in ["hole", "elsewhere"]:
        found[name] = {"zero": model.minimum(model.data[name], 0.0, 125.0)}
        if name == "hole":
            model.v["m"].setRange(*NARROW)
        found[name]["best"] = model.minimum(model.data[name])
        model.v["m"].setRange(110.0, 170.0)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
