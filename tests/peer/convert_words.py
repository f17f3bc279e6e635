"""Exports of ROOT in the standard's words and back: ROOT reads what `morphist convert` makes of them, with its own `misc` and
with the one that the conversion writes, to the −ln L that it recorded. Exports of channels go to ROOT at once, with the ranges
over which it normalises their constraints."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus
from convert import CRATE


def nll(path, data, points):
    import ROOT

    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
    workspace = ROOT.RooWorkspace("w")
    ROOT.RooJSONFactoryWSTool(workspace).importJSON(str(path))
    config = next(iter(json.loads(path.read_text())["misc"]["ROOT_internal"]["ModelConfigs"].values()))
    model = workspace.obj(config["mcName"])
    arguments = [ROOT.RooFit.Offset("none")]
    for found, argument in (
        (model.GetGlobalObservables(), ROOT.RooFit.GlobalObservables),
        (model.GetExternalConstraints(), ROOT.RooFit.ExternalConstraints),
    ):
        if found and found.size():
            arguments.append(argument(found))
    function = model.GetPdf().createNLL(workspace.data(data), *arguments)
    values = []
    for point in points:
        for name, value in point["values"].items():
            workspace.var(name).setVal(value)
        values.append(function.getVal())
    return values


# Their codes of histosys are not in the file: ROOT itself reads others.
WITHOUT_CODES = ("hf_interp_code0", "hf_interp_code1", "hf_interp_code5")


def channels(convert, pattern):
    """How many exports of channels ROOT does not read back to what it recorded."""
    missed = 0
    folder = corpus.CORPUS / "corpus/hs3/root"
    for path in [*sorted(folder.glob("hf_*.json")), *sorted((folder / "pyhf").glob("*.json"))]:
        if path.name.endswith(".ref.json") or not corpus.matches(path.name, pattern) or path.stem in WITHOUT_CODES:
            continue
        record, document = json.loads(path.with_suffix(".ref.json").read_text()), json.loads(path.read_text())
        known = {d["name"] for d in document["distributions"]}
        if any(name not in known for l in document["likelihoods"] for name in l.get("aux_distributions", [])):
            print(f"{path.name:45} left out: a constraint that ROOT did not write")
            continue
        analysis = next(a["name"] for a in document["analyses"] if "asimov" not in a["name"])
        with tempfile.TemporaryDirectory() as scratch:
            back = Path(scratch) / "back.json"
            try:
                convert(path, "root-6.40", back, "--measurement", analysis)
                found = nll(back, "obsData", record["points"])
            except Exception as problem:
                missed += 1
                print(f"{path.name:45} failed: {str(problem)[:300]}")
                continue
        worst = max(abs(a - point["nll"]) for a, point in zip(found, record["points"]))
        missed += worst > 1e-9
        print(f"{path.name:45} channels  {worst:9.1e}{' MISSED' if worst > 1e-9 else ''}")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--morphist", default=os.environ.get("MORPHIST", str(CRATE / "target/release/morphist")))
    parser.add_argument("--files", default="*")
    arguments = parser.parse_args()

    def convert(source, target, output, *more):
        command = [arguments.morphist, "convert", source, "--target", target, "--output-file", output, *more]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-300:])

    missed = channels(convert, arguments.files)
    for path in sorted((corpus.CORPUS / "corpus/hs3/root").glob("*.json")):
        reference = path.with_suffix(".ref.json")
        if path.name.endswith(".ref.json") or not corpus.matches(path.name, arguments.files):
            continue
        record = json.loads(reference.read_text())
        # What ROOT itself does not read back has no reference; channels have convert.py.
        if not record.get("root_roundtrip_ok") or path.name.startswith("hf_"):
            continue
        for own in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                standard, back = Path(folder) / "standard.json", Path(folder) / "back.json"
                try:
                    convert(path, "hs3", standard)
                    if not own:
                        document = json.loads(standard.read_text())
                        del document["misc"]["ROOT_internal"]
                        standard.write_text(json.dumps(document))
                    convert(standard, "root-6.40", back)
                    found = nll(back, record["data"] if own else "obsData", record["points"])
                except Exception as problem:
                    missed += 1
                    print(f"{path.name:45} failed: {str(problem)[:300]}")
                    continue
            worst = max(abs(a - point["nll"]) for a, point in zip(found, record["points"]))
            missed += worst > 1e-9
            print(f"{path.name:45} {'own misc' if own else 'new misc':9} {worst:9.1e}{' MISSED' if worst > 1e-9 else ''}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
