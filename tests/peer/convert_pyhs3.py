"""−ln L of an HS3 document by pyhs3: reads {file, analysis, points: [{name: value}]} from standard input, writes a list."""

import json
import sys
import warnings

import numpy
import pyhs3
import pytensor
from pytensor.graph.traversal import explicit_graph_inputs

warnings.simplefilter("ignore")
job = json.load(sys.stdin)
with open(job["file"]) as text:
    workspace = pyhs3.Workspace(**json.load(text))
model = workspace.model(workspace.analyses[job["analysis"]], progress=False)
log_prob = model.log_prob
inputs = list(explicit_graph_inputs([log_prob]))


def answers(mode):
    function = pytensor.function(inputs, log_prob, mode=mode, on_unused_input="ignore")
    found = []
    for point in job["points"]:
        values = {**model.nominal_params, **point, **model.data}
        given = [numpy.asarray(values[i.name], dtype=i.type.dtype) for i in inputs]
        given = [value.reshape([-1] * i.type.ndim if value.ndim == i.type.ndim else [1] * i.type.ndim) for i, value in zip(inputs, given)]
        found.append(-float(numpy.asarray(function(*given)).item()))
    return found


try:
    found = answers("FAST_COMPILE")
except AttributeError:
    # Sums of more than 32 terms need compiled code.
    found = answers(None)
json.dump(found, sys.stdout)
