#!/usr/bin/env python3
"""`morphist eft expand` in ROOT 6.40.00 and pyhs3 0.4.2: -ln L of the expanded fixtures/eft_* at ten seeded points.

The expected value is that of the equations of spec/eft.md in numpy (fixtures/eft_expected.py), with the eta_b of
uncertain bins as parameters: nothing of it comes from morphist. ROOT imports the file, and N ln k is taken off its value;
pyhs3 runs in an interpreter of its own (`--pyhs3 PYTHON`). At every point all nu_b are positive. `--record` writes
fixtures/eft_*/expanded.json, the numbers that tests/eft/expand.rs compares with.
Needs numpy and ROOT: `pip install numpy ROOT==6.40.0`.
"""
import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import corpus
import morphist
import numpy as np

sys.path.insert(0, str(corpus.CRATE / "fixtures"))
from eft_expected import CODES, REAL, Document, named  # noqa: E402

N_POINTS = 10
TOLERANCE = 1e-9
# What the standard cannot say: each is refused, by this rule.
REFUSED = {"eft_events", "eft_unbinned", "eft_unbinned_forms", "eft_gaussian_clamp", "eft_gaussian_marginalised", "eft_gaussian_parameters"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    morphist.add_arguments(parser)
    parser.add_argument("--pyhs3", metavar="PYTHON", help="an interpreter with pyhs3 0.4.2; without, ROOT alone")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--fixtures", default="eft_*", metavar="GLOB")
    arguments = parser.parse_args()
    worst, good = 0.0, True
    for folder in sorted((corpus.CRATE / "fixtures").glob(arguments.fixtures)):
        if not folder.is_dir():
            continue
        with tempfile.TemporaryDirectory() as place:
            file = Path(place) / "expanded.json"
            command = [arguments.morphist, "eft", "expand", folder / "workspace.json", "--output-file", file]
            done = subprocess.run([str(x) for x in command], capture_output=True, text=True)
            if folder.name in REFUSED:
                refused = done.returncode != 0 and "W455" in done.stderr and not file.exists()
                print(f"{folder.name:28} {'refused' if refused else 'NOT REFUSED'}")
                good &= refused
                continue
            if done.returncode:
                print(f"{folder.name:28} FAILED: {done.stderr.strip()[:400]}")
                good = False
                continue
            document = json.loads(file.read_text())
            points = seeded(folder, {p["name"] for p in document["parameter_points"][0]["parameters"]})
            of_root = root(file, document, points)
            of_pyhs3 = pyhs3(arguments.pyhs3, file, points) if arguments.pyhs3 else [None] * len(points)
        off = [max(abs(x - p["nll"]) for x in (r, q) if x is not None) for p, r, q in zip(points, of_root, of_pyhs3)]
        worst, fine = max(worst, *off), max(off) < TOLERANCE
        good &= fine
        off_root = max(abs(r - p["nll"]) for p, r in zip(points, of_root))
        print(f"{folder.name:28} {'' if fine else 'OFF '}ROOT {off_root:.1e}  both {max(off):.1e}  -ln L {points[0]['nll']:.6f}")
        if arguments.record and fine:
            record(folder, points, of_root, of_pyhs3)
    print(f"largest difference {worst:.1e}")
    sys.exit(0 if good else 1)


def identifier(name):
    return re.sub(r"[^A-Za-z0-9_]", "_", re.sub(r"\[(\d+)\]$", r"_\1", name))


def seeded(folder, known):
    """Points by the names of the file, with -ln L of numpy; nu_b > 0 in every bin."""
    document = Document(json.loads((folder / "workspace.json").read_text()), folder)
    rng = np.random.default_rng(zlib.crc32(folder.name.encode()) + 7)
    points = []
    while len(points) < N_POINTS:
        point, eta = drawn(document, rng), {}
        theta = named(document, point)
        value = likelihood(document, theta, rng, eta)
        if value is not None:
            values = {identifier(name): float(x) for name, x in theta.items()} | eta
            # Names that formulas take for something else are written with a number.
            values = {name if name in known else f"{name}_2": x for name, x in values.items()}
            points.append({"parameters": values, "nll": value})
    return points


def drawn(document, rng):
    point = {}
    for p, (size, init, constraint) in document.parameters.items():
        if p in document.fitted:
            low, high = document.fitted[p][1]
            point[p] = [init if p in document.fixed else init + rng.uniform(0, 0.6) * (rng.uniform(low, high) - init)]
        elif p in document.flat:
            point[p] = list(rng.uniform(-1, 1, size))
        elif p == "lumi":
            point[p] = [init + 0.02 * rng.normal()]
        elif constraint:
            point[p] = [rng.uniform(-2.5, 2.5)]
        else:
            point[p] = list(rng.uniform(0.5, 1.5, size))
    return {p: [round(float(x), 5) for x in values] for p, values in point.items()}


def likelihood(document, theta, rng, eta):
    """-ln L with eta_b of uncertain bins drawn into `eta`; None where a bin is not positive."""
    complete, value = document.complete(theta), REAL(0)
    for c in document.channels:
        samples = [document.sample(s, complete, CODES[0]) for s in c["samples"]]
        mean, spread = sum(x[0] for x in samples), sum(x[1] for x in samples)
        for b, n in enumerate(document.observed[c["name"]]):
            nu = mean[b]
            if any(x[2] for x in samples):
                pull = round(float(rng.uniform(-1.5, 1.5)), 5)
                eta[identifier(f"eta_{c['name']}_{b}")] = pull
                if spread[b] < 0:
                    return None
                nu = nu + REAL(pull) * np.sqrt(spread[b])
                value += REAL(pull) ** 2 / 2 + math.log(2 * math.pi) / 2
            if not nu > 0:
                return None
            value += nu - n * np.log(nu) + math.lgamma(n + 1)
    for name, (_, _, constraint) in document.parameters.items():
        if constraint:
            a, sigma = REAL(constraint[0]), REAL(constraint[1])
            value += ((a - theta[name]) / sigma) ** 2 / 2 + math.log(float(sigma) * math.sqrt(2 * math.pi))
    measured, _ = document.measured(complete)
    return float(value + sum(measured, REAL(0)) / 2)


def root(file, document, points):
    import ROOT

    ROOT.gROOT.SetBatch(True)
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    workspace = ROOT.RooWorkspace("w")
    ROOT.RooJSONFactoryWSTool(workspace).importJSON(str(file))
    config = next(x for x in workspace.allGenericObjects() if x.InheritsFrom("RooStats::ModelConfig"))
    data = workspace.data("obsData")
    arguments = [ROOT.RooFit.GlobalObservables(config.GetGlobalObservables())] if config.GetGlobalObservables() else []
    if config.GetExternalConstraints():
        arguments.append(ROOT.RooFit.ExternalConstraints(config.GetExternalConstraints()))
    nll = config.GetPdf().createNLL(data, *arguments, ROOT.RooFit.Offset("none"))
    channels = len(document["likelihoods"][0]["distributions"])
    values = []
    for point in points:
        for name, x in point["parameters"].items():
            variable = workspace.var(name)
            assert variable, name
            variable.setVal(x)
            assert variable.getVal() == x, f"{name} ends at a bound"
        values.append(nll.getVal() - data.sumEntries() * math.log(channels))
    return values


def pyhs3(python, file, points):
    asked = file.with_suffix(".points")
    asked.write_text(json.dumps([point["parameters"] for point in points]))
    script = Path(__file__).with_name("eft_expand_pyhs3.py")
    done = subprocess.run([python, str(script), str(file), str(asked)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"pyhs3: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def record(folder, points, of_root, of_pyhs3):
    provenance = "ROOT 6.40.00 (less N ln k), pyhs3 0.4.2 and the equations of spec/eft.md in numpy"
    for point, own, other in zip(points, of_root, of_pyhs3):
        point |= {"nll_root": own, "nll_pyhs3": other}
    text = json.dumps({"provenance": f"{provenance}; python tests/peer/eft_expand.py --record", "points": points}, indent=1)
    (folder / "expanded.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
