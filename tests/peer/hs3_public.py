#!/usr/bin/env python3
"""-ln L of the public HistFactory channels in HS3 (corpus/hs3/public) in ROOT 6.40.00 and pyhs3 0.4.2, beside morphist's.

The conformance adapters evaluate each file at its stored point and with every parameter moved, after what a peer needs and
the file lacks is put in. morphist reads each by the conventions of the peer. `--record` writes tests/hs3/public.json, the
numbers that tests/hs3/public.rs compares with. Needs ROOT; pyhs3 in an interpreter of its own (`--pyhs3 PYTHON`).
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus
import morphist

FOLDER = corpus.CORPUS / "corpus/hs3/public"
HL = "JuliaHEP+HS3.jl/example__histfactory_hl"
RF515 = "root-project+root/tutorials__roofit__roofit__rf515_hfJSON"
RF515_JL = "JuliaHEP+HS3.jl/test__jsons__rf515_hfJSON"
STATERROR = "JuliaHEP+HS3.jl/test__sample_staterror_shapesys_HS3"
SIMPLE = "scipp-atlas+pyhs3/tests__test_histfactory__simplemodel_uncorrelated-background_hs3"
# (file, likelihood, flags of morphist for what ROOT reads, the same for pyhs3; None where the peer cannot read the file)
FILES = [
    (HL, "main_likelihood", ["--dialect", "root"], None),
    (RF515, "main_likelihood", ["--dialect", "root"], None),
    (RF515_JL, "main_likelihood", ["--dialect", "root"], None),
    (STATERROR, "likelihood1", ["--dialect", "root"], None),
    (SIMPLE, "simPdf_obsData", ["--dialect", "root"], ["--dialect", "pyhs3"]),
    (SIMPLE, "simPdf_asimovData", ["--dialect", "root"], ["--dialect", "pyhs3"]),
]
TOLERANCE = 1e-9
RECORD = corpus.CRATE / "tests/hs3/public.json"


def put_in(document):
    """ROOT throws without metadata or default_domain, asks for bins, and takes data apart that its own keys combine."""
    document.setdefault("metadata", {"hs3_version": "0.2"})
    document.pop("misc", None)
    domains = document.setdefault("domains", [])
    if not any(d["name"] == "default_domain" for d in domains):
        domains.append({"name": "default_domain", "type": "product_domain", "axes": []})
    for thing in [*document["distributions"], *document["data"]]:
        for axis in thing.get("axes", []):
            if not {"nbins", "edges"} & set(axis):
                axis |= {"min": 0.0, "max": 2.0, "nbins": 2}
    return document


def ours(arguments, document, likelihood, flags, shift):
    """(-ln L in RooFit's convention, the point)"""
    with tempfile.TemporaryDirectory() as place:
        file, point = Path(place) / "file.json", Path(place) / "point.json"
        file.write_text(json.dumps(document))
        command = [arguments.morphist, "evaluate", file, "--likelihood", likelihood, "--format", "json", *flags]
        run = lambda more: json.loads(subprocess.run([str(x) for x in [*command, *more]], capture_output=True, text=True, check=True).stdout)
        values = run([])["parameters"]
        moved = {n: [v[0] + shift * (1 + i % 3)] for i, (n, v) in enumerate(values.items())}
        point.write_text(json.dumps(moved))
        report = run(["--parameters", point])
        return report, moved


def theirs(python, adapter, document, likelihood, point):
    request = {"id": "0", "operation": "evaluate", "documents": {"hs3": json.dumps(document)}, "input": {"measurement": likelihood, "parameters": point}}
    path = corpus.CRATE / f"conformance/adapters/{adapter}.py"
    done = subprocess.run([python, str(path)], input=json.dumps(request) + "\n", capture_output=True, text=True)
    answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout else {"error": {"message": done.stderr[-200:]}}
    return answer.get("result"), answer


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    morphist.add_arguments(parser)
    parser.add_argument("--pyhs3", metavar="PYTHON")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    good, recorded = True, []
    for name, likelihood, for_root, for_pyhs3 in FILES:
        document = put_in(json.loads((FOLDER / f"{name}.json").read_text()))
        for peer, python, flags in (("root", sys.executable, for_root), ("pyhs3", arguments.pyhs3, for_pyhs3)):
            if python is None or flags is None:
                continue
            for shift in (0.0, 0.02, -0.03):
                own, point = ours(arguments, document, likelihood, flags, shift)
                result, answer = theirs(python, peer, document, likelihood, point)
                if result is None:
                    print(f"{name.split('/')[1]:60} {likelihood:18} {peer:6} {shift:5}: {answer}")
                    good = False
                    continue
                off = own["twice_nll"] / 2 - result["twice_nll"] / 2
                fine = abs(off) < TOLERANCE
                recorded.append({"file": name, "likelihood": likelihood, "dialect": flags[1], "parameters": point, "nll": result["twice_nll"] / 2})
                good &= fine
                print(f"{name.split('/')[1]:60} {likelihood:18} {peer:6} {shift:5}: {result['twice_nll'] / 2:.12f} {off:9.1e}{'' if fine else ' OFF'}", flush=True)
    if arguments.record:
        text = {"provenance": "ROOT 6.40.00 and pyhs3 0.4.2: python tests/peer/hs3_public.py --record", "points": recorded}
        RECORD.write_text(json.dumps(text, indent=1) + "\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
