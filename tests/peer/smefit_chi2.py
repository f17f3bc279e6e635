#!/usr/bin/env python3
"""χ² of imported documents beside smefit 4.0.0: its own loader and χ² on the very files that `eft import` reads.

* fixtures/smefit: a small database with all classes of systematics, and its runcards.
* corpus/smefit: the compact benchmarks, written as SMEFiT's files into a temporary folder; `eft import` reads both these
  (`--from smefit-runcard`) and the benchmark itself (`--from smefit-benchmark`), linear and quadratic.

At ten seeded random points each, half of them anywhere in the box of the runcard and half in a tenth of it, with the
criterion 1e-12, relative. Linear runcards of the fixtures: smefit's analytic solution beside `fit`, 1e-9 of χ², and 1e-6 of
the uncertainty.

`--record` writes fixtures/smefit/smefit.json. Needs an interpreter with smefit==4.0.0 and its dependencies."""

import argparse
import fnmatch
import importlib.metadata
import json
import sys
import tempfile
import zlib
from pathlib import Path

import corpus
import morphist
import smefit_files
import smefit_peer
from benchmark import imported
from table import text

FIXTURE = corpus.CRATE / "fixtures/smefit"
N_POINTS = 10
CRITERION = 1e-12


def folders(path):
    return ("--data-path", path.parent / "commondata", "--theory-path", path.parent / "theory")


def deviation(program, document, fit, points, *flags):
    """The largest relative deviation of χ²."""
    constant, worst = fit.constant(), 0.0
    for point in points:
        parameters = {name: [float(value)] for name, value in zip(fit.free, point)}
        ours = morphist.evaluate(program, document, parameters, *flags)["twice_nll"] - constant
        worst = max(worst, float(abs(ours / fit.chi2(point) - 1)))
    return worst


def of_fixtures(arguments, folder, rows):
    record = {"provenance": provenance(), "runcards": {}}
    for path in sorted(FIXTURE.glob("*.yaml")):
        fit = smefit_peer.Fit(path)
        points = fit.points(N_POINTS, seed(path.stem))
        own = {"coefficients": fit.free, "n_points": int(fit.datasets.Commondata.size), }
        own["ln_det_v"] = float(fit.constant() - own["n_points"] * smefit_peer.np.log(2 * smefit_peer.np.pi))
        own["points"] = [{"c": [float(x) for x in point], "chi2": fit.chi2(point)} for point in points]
        best, lowest = (None, None) if fit.use_quad else fit.analytic()
        if best:
            own["analytic"] = {"best_fit": best, "chi2": lowest}
        record["runcards"][path.stem] = own
        if arguments.record:
            continue
        document = imported(arguments.morphist, folder, "smefit-runcard", path, *folders(path))
        row = {"file": f"fixture {path.stem}", "largest": deviation(arguments.morphist, document, fit, points)}
        if best:
            ours = morphist.fit(arguments.morphist, document)
            row["fit_chi2"] = abs((ours["twice_nll"] - fit.constant()) / lowest - 1)
            pulls = [abs(ours["mle_parameters"][name][0] - value) / ours["uncertainties"][name][0] for name, value in best.items()]
            row["fit_sigma"] = max(pulls)
        rows.append(row)
    if arguments.record:
        (FIXTURE / "smefit.json").write_text(json.dumps(record, indent=1) + "\n")


def of_corpus(arguments, folder, rows):
    for path in sorted((corpus.CORPUS / "corpus/smefit").glob("*.json")):
        benchmark = json.loads(path.read_text())
        if "operators" not in benchmark or not fnmatch.fnmatch(path.stem, arguments.files):
            continue
        place = folder / path.stem
        place.mkdir()
        compact = imported(arguments.morphist, folder, "smefit-benchmark", path)
        for runcard in smefit_files.write(benchmark, place):
            fit = smefit_peer.Fit(runcard)
            points = fit.points(N_POINTS, seed(path.stem))
            flags = () if fit.use_quad else ("--truncation", "linear")
            largest = deviation(arguments.morphist, compact, fit, points, *flags)
            name = f"{path.stem} {runcard.stem}"
            rows.append({"file": f"{name}, benchmark", "largest": largest})
            document = imported(arguments.morphist, place, "smefit-runcard", runcard, *folders(runcard))
            rows.append({"file": f"{name}, runcard", "largest": deviation(arguments.morphist, document, fit, points)})


def seed(name):
    return zlib.crc32(name.encode())


def provenance():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("smefit", "jax", "numpy"))
    return f"smefit's own loader, χ² and analytic fit on these files; {versions}; python tests/peer/smefit_chi2.py --record"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB", help="benchmarks of the corpus; none leaves them out")
    parser.add_argument("--record", action="store_true", help="write fixtures/smefit/smefit.json and compare nothing")
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        of_fixtures(arguments, Path(folder), rows)
        if not arguments.record:
            of_corpus(arguments, Path(folder), rows)
    if arguments.record:
        return
    for row in rows:
        row["missed"] = not (row["largest"] <= CRITERION and row.get("fit_chi2", 0) <= 1e-9 and row.get("fit_sigma", 0) <= 1e-6)
    print(text(["file", "largest", "fit_chi2", "fit_sigma", "missed"], rows))
    sys.exit(1 if any(row["missed"] for row in rows) else 0)


main()
