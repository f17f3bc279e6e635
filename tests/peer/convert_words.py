"""Exports of ROOT in the standard's words and back: ROOT reads what `morphist convert` makes of them, with its own `misc` and
with the one that the conversion writes, to the −ln L that it recorded."""

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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--morphist", default=os.environ.get("MORPHIST", str(CRATE / "target/release/morphist")))
    parser.add_argument("--files", default="*")
    arguments = parser.parse_args()

    def convert(source, target, output):
        command = [arguments.morphist, "convert", source, "--target", target, "--output-file", output]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr[-300:])

    missed = 0
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
