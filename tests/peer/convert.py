"""Documents of `morphist convert` in the hands of their readers: ROOT 6.40 and pyhs3 0.4.2 read what it writes of pyhf
workspaces, and their −ln L is compared with pyhf's of the workspace itself, at random points.

ROOT adds N ln k for k channels, which is taken off; it ends templates that histosys move at zero, as pyhf does with
clip_sample_data=0, where the report says so; and it has no constraint for bins of a staterror without width, whose number
the report has.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy
import pyhf

import corpus

CRATE = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
HALF_LN_2PI = 0.5 * math.log(2 * math.pi)


def convert(program, workspace, target, measurement, folder):
    """(path of the document, findings of the report)."""
    out, report = folder / f"{target}.json", folder / "report.json"
    command = [program, "convert", workspace, "--target", target, "--measurement", measurement, "--output-file", out, "--report", report]
    done = subprocess.run([*map(str, command), "--allow-loss", "W461"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-300:])
    return out, json.loads(report.read_text())["losses"]


def points(model, seed, number):
    """Random points inside the bounds, within about one width of the constraints; values of single bins have HS3's names."""
    random = numpy.random.default_rng(seed)
    start, bounds = numpy.array(model.config.suggested_init()), model.config.suggested_bounds()
    fixed = model.config.suggested_fixed()
    names, widths = [], []
    for name in model.config.par_order:
        pset = model.config.param_set(name)
        one = pset.is_scalar if hasattr(pset, "is_scalar") else pset.n_parameters == 1
        names += [name] if one else [f"gamma_{name}_bin_{i}" for i in range(pset.n_parameters)]
        if pset.constrained:
            widths += list(pset.width())
        else:
            widths += [0.3] * pset.n_parameters
    for _ in range(number):
        steps = numpy.array([random.uniform(-1, 1) * min(width, 1.0) for width in widths])
        values = numpy.where(fixed, start, start + steps)
        values = [min(max(v, low), high) for v, (low, high) in zip(values, bounds)]
        yield values, dict(zip(names, values))


def identifier(name):
    kept = re.sub("[^A-Za-z0-9_]", "_", name)
    return kept if not kept[:1].isdigit() else f"_{kept}"


class Root:
    """A document as ROOT reads it."""

    def __init__(self, path):
        import ROOT

        ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
        self.workspace = ROOT.RooWorkspace("w")
        ROOT.RooJSONFactoryWSTool(self.workspace).importJSON(str(path))
        config = self.workspace.obj("ModelConfig")
        pdf, data = config.GetPdf(), self.workspace.data("obsData")
        arguments = [ROOT.RooFit.Offset("none")]
        for found, argument in (
            (config.GetGlobalObservables(), ROOT.RooFit.GlobalObservables),
            (config.GetExternalConstraints(), ROOT.RooFit.ExternalConstraints),
        ):
            if found and found.size():
                arguments.append(argument(found))
        self.nll_function = pdf.createNLL(data, *arguments)
        self.offset = data.sumEntries() * math.log(pdf.indexCat().size())

    def nll(self, values):
        for name, value in values.items():
            variable = self.workspace.var(identifier(name))
            variable.setVal(value)
            if abs(variable.getVal() - value) > 1e-12 * max(1, abs(value)):
                raise RuntimeError(f"ROOT holds {name} at {variable.getVal()}, not {value}")
        return self.nll_function.getVal() - self.offset


def pyhs3_nll(python, path, analysis, all_points):
    job = json.dumps({"file": str(path), "analysis": analysis, "points": all_points})
    done = subprocess.run([python, str(HERE / "convert_pyhs3.py")], input=job, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-300:])
    return json.loads(done.stdout)


def compare(arguments, path, target):
    """(largest difference, allowed, note)."""
    document = json.loads(path.read_text())
    with tempfile.TemporaryDirectory() as folder:
        measurement = document["measurements"][0]["name"]
        written, losses = convert(arguments.morphist, path, target, measurement, Path(folder))
        workspace = pyhf.Workspace(document)
        model = workspace.model(measurement_name=measurement, poi_name=None)
        clipped = workspace.model(measurement_name=measurement, poi_name=None, clip_sample_data=0.0)
        data = workspace.data(model)
        chosen = list(points(model, zlib.crc32(path.name.encode()), arguments.points))
        constant = 0.0
        for loss in losses:
            bins = re.match(r"(\d+) bins of .* without width", loss["found"])
            if loss["rule"] == "W462" and bins:
                constant += int(bins.group(1)) * HALF_LN_2PI
        expected = [-float(model.logpdf(values, data)[0]) - constant for values, _ in chosen]
        may_clip = any(loss["rule"] == "W461" for loss in losses)
        if target == "root-6.40":
            root = Root(written)
            found = [root.nll(named) for _, named in chosen]
        else:
            found = pyhs3_nll(arguments.pyhs3, written, measurement, [named for _, named in chosen])
        if may_clip:
            # Where ROOT ends a template, pyhf's option does the same.
            ended = [-float(clipped.logpdf(values, data)[0]) - constant for values, _ in chosen]
            expected = [min(pair, key=lambda x: abs(x - nll)) for pair, nll in zip(zip(expected, ended), found)]
    differences = [abs(a - b) for a, b in zip(found, expected)]
    allowed = [1e-9 + 1e-11 * abs(b) for b in expected]
    worst = max(range(len(differences)), key=lambda i: differences[i] / allowed[i])
    return differences[worst], allowed[worst], "may clip" if may_clip else ""


def files(pattern):
    """The project's fixtures, the workspaces of ROOT's exports, and the corpus."""
    found = [entry.path for entry in corpus.fixtures(CRATE / "fixtures", pattern)]
    found += sorted(path for path in (corpus.CORPUS / "corpus/hs3/root/pyhf-src").glob("*.json") if corpus.matches(path.name, pattern))
    found += [entry.path for entry in corpus.workspaces(pattern)]
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--morphist", default=os.environ.get("MORPHIST", str(CRATE / "target/release/morphist")))
    parser.add_argument("--files", default="*")
    parser.add_argument("--points", type=int, default=4)
    parser.add_argument("--largest", type=float, default=3e6, metavar="BYTES", help="leave larger workspaces out")
    parser.add_argument("--pyhs3", metavar="PYTHON", help="an interpreter with pyhs3 0.4.2; else ROOT alone")
    arguments = parser.parse_args()
    missed = 0
    for path in files(arguments.files):
        if path.stat().st_size > arguments.largest:
            print(f"{path.name:50} left out: {path.stat().st_size} bytes")
            continue
        for target in ["root-6.40"] + (["pyhs3"] if arguments.pyhs3 else []):
            name = path.parent.name + "/" + path.name
            try:
                difference, allowed, note = compare(arguments, path, target)
            except Exception as problem:
                missed += 1
                print(f"{name:60} {target:10} failed: {str(problem)[:300]}", flush=True)
                continue
            good = difference <= allowed
            missed += not good
            print(f"{name:60} {target:10} {difference:9.1e} of {allowed:9.1e} {'' if good else 'MISSED'} {note}", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
