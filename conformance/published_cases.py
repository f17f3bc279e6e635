#!/usr/bin/env python3
"""Writes conformance/cases/published.json: published likelihoods by DOI, file name and sha256, with the numbers that pyhf 0.7.6
(numpy) has for them. The documents are not here: they are looked up in the folder that MORPHIST_CORPUS names, below
corpus/pyhf/, and the cases are left out, with a word, where they are not there.

Needs pyhf==0.7.6 and the documents. `generate.py` takes the file over as it is.
"""
import hashlib
import json
import os
import pathlib
import random
import zlib

import numpy as np
import pyhf

HERE = pathlib.Path(__file__).parent
CORPUS = pathlib.Path(os.environ.get("MORPHIST_CORPUS", HERE.parent.parent / "shared")) / "corpus/pyhf"
SOURCE = "pyhf 0.7.6, numpy back end: Model.logpdf and Model.expected_data of the file with this sha256"


def main():
    assert pyhf.__version__ == "0.7.6"
    entries = [e for e in json.loads((CORPUS / "INDEX.json").read_text()) if e["kind"] == "workspace" and e["doi"] and e["stats"].get("built")]
    cases = [case for entry in sorted(entries, key=lambda e: e["file"]) for case in of(entry)]
    (HERE / "cases/published.json").write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n")
    print(len(cases), "cases of", len(entries), "files")


def of(entry):
    bytes_ = (CORPUS / entry["file"]).read_bytes()
    assert hashlib.sha256(bytes_).hexdigest() == entry["sha256"], entry["file"]
    spec = json.loads(bytes_)
    workspace = pyhf.Workspace(spec)
    try:
        model = workspace.model()
    except pyhf.exceptions.InvalidModel:  # the POI comes with a signal
        model = workspace.model(poi_name=None)
    data = np.asarray(workspace.data(model), float)
    published = {"published": {"doi": entry["doi"], "file": entry["file"], "sha256": entry["sha256"]}}
    name = entry["file"].removesuffix(".json")
    common = dict(spec="likelihood.md, eq. 1 to 5", tolerance={}, provenance=SOURCE)
    digest = {"digest": pyhf.utils.digest(workspace, algorithm="sha256")}
    yield dict(common, id=f"published/{name}/digest", spec="patchset.md", document={"document": published}, operation="digest", input={"algorithm": "sha256"}, expect=digest, provenance="pyhf 0.7.6, pyhf.utils.digest")
    document = {"workspace": published}
    parameters = [{"name": n, "init": list(map(float, model.config.param_set(n).suggested_init))} for n in model.config.par_order]
    yield dict(common, id=f"published/{name}/model", spec="workspace.md", document=document, operation="model", input={}, expect={"samples": model.config.samples, "parameters": parameters}, provenance="pyhf 0.7.6, Model.config")
    draw = random.Random(zlib.crc32(name.encode()))
    for label in ("start", "elsewhere"):
        point = np.asarray(model.config.suggested_init(), float)
        if label == "elsewhere":
            low, high = np.asarray(model.config.suggested_bounds(), float).T
            width = np.minimum(0.2, 0.1 * (high - low))
            point = np.round([min(max(x + w * draw.uniform(-1, 1), l), h) for x, w, l, h in zip(point, width, low, high)], 3)
        yield evaluated(common, f"published/{name}/evaluate/{label}", document, model, data, point)


def evaluated(common, id, document, model, data, point):
    rates = model.expected_data(point, include_auxdata=False)
    main = {c: [float(x) for x in rates[model.config.channel_slices[c]]] for c in model.config.channels}
    value = float(-2 * model.logpdf(point, data)[0])
    given = {n: [float(x) for x in point[model.config.par_slice(n)]] for n in model.config.par_order}
    terms = 2 * float(np.sum(np.abs(rates)) + np.sum(np.abs(data[: len(rates)] * np.log(np.maximum(rates, 1e-300)))))
    tolerance = {"twice_nll": {"rel": 1e-12, "abs": 4e-16 * terms}, "expected_data": {"rel": 1e-12, "abs": 1e-13 * float(np.max(np.abs(rates)))}}
    expect = {"twice_nll": value if np.isfinite(value) else None, "expected_data": {"main": main}}
    return dict(common, id=id, document=document, operation="evaluate", input={"parameters": given}, expect=expect, tolerance=tolerance)


if __name__ == "__main__":
    main()
