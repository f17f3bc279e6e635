"""-ln L of the first analysis of an HS3 file in pyhs3 at points: `python eft_expand_pyhs3.py FILE POINTS`."""
import json
import sys
import warnings

import numpy as np
import pyhs3
import pytensor
from pytensor.graph.traversal import explicit_graph_inputs

warnings.simplefilter("ignore")
with open(sys.argv[1]) as file, open(sys.argv[2]) as points:
    workspace, points = pyhs3.Workspace(**json.load(file)), json.load(points)
model = workspace.model(list(workspace.analyses)[0], progress=False)
inputs = list(explicit_graph_inputs([model.log_prob]))
# The linker of Python takes 32 arguments at most; that of C takes minutes for a small model.
pytensor.config.cxx = ""
value = pytensor.function(inputs, model.log_prob, on_unused_input="ignore", mode=pytensor.compile.mode.Mode(linker="py", optimizer=None))
values = []
for point in points:
    known = model.nominal_params | point
    given = [model.data[x.name] if x.name in model.data else np.full((1,) * x.ndim, known[x.name]) for x in inputs]
    values.append(-float(np.sum(value(*given))))
json.dump(values, sys.stdout)
