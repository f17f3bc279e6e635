#!/usr/bin/env python3
"""Answers conformance cases on HS3 documents with pyhs3: needs pyhs3 0.4.2.

pyhs3 evaluates the logarithm of the likelihood of an analysis with the parameters that it takes for free; what is constant
has the value of the parameter point. Parameters of a case are therefore written into the point before it reads the document.
"""
import json
import sys
import warnings

from protocol import answer, finite, hs3_text, serve

sys.path.pop(0)  # this folder, where this very file would be imported as pyhs3

import numpy as np
import pyhs3
import pytensor

warnings.simplefilter("ignore")


def with_values(document, given):
    """The document with the values of the case in its first parameter point."""
    document = json.loads(document)
    entries = {p["name"]: p for p in document["parameter_points"][0]["parameters"]}
    for name, values in given.items():
        entries[name]["value"] = values[0]
    return document


def evaluate(request):
    given = request["input"]
    document = with_values(hs3_text(request), given["parameters"])
    workspace = pyhs3.Workspace(**document)
    model = workspace.model(given["measurement"], progress=False, mode="FAST_COMPILE")
    value = -2 * model.log_prob
    point = {p["name"]: p["value"] for p in document["parameter_points"][0]["parameters"]}
    known = {**point, **model.free_params, **model.data}
    inputs = [v for v in pytensor.graph.traversal.explicit_graph_inputs([value]) if v.name in known]
    arguments = [np.asarray(known[v.name], dtype=v.dtype).reshape([-1 if n is None else n for n in v.type.shape]) for v in inputs]
    result = pytensor.function(inputs, value, mode="FAST_COMPILE", on_unused_input="ignore")(*arguments)
    return {"twice_nll": finite(np.asarray(result).reshape(-1)[0])}


def about(request):
    return {"program": "pyhs3", "version": pyhs3.__version__}


if __name__ == "__main__":
    serve(lambda request: answer(request, {"about": about, "evaluate": evaluate}))
