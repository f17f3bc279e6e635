"""CLs by toys with pyhf: prints what tests/infer/toys.rs compares with.

    python toys.py WORKSPACE VALUE STATISTIC N SEED

pyhf 0.7.6 calls `numpy.percentile` by an argument that numpy 2 has renamed; the same quantiles are asked for here.
"""

import json
import sys

import numpy
import pyhf

percentile = numpy.percentile


def renamed(values, fractions, axis=None, interpolation="linear"):
    return percentile(values, fractions, axis=axis, method=interpolation)


numpy.percentile = renamed
path, value, statistic, n, seed = sys.argv[1], float(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
pyhf.set_backend("numpy")
workspace = pyhf.Workspace(json.load(open(path)))
model = workspace.model(modifier_settings={"normsys": {"interpcode": "code4"}, "histosys": {"interpcode": "code4p"}})
numpy.random.seed(seed)
cls, (clsb, clb), band = pyhf.infer.hypotest(
    value,
    workspace.data(model),
    model,
    test_stat=statistic,
    calctype="toybased",
    ntoys=n,
    track_progress=False,
    return_tail_probs=True,
    return_expected_set=True,
)
variance = clsb * (1 - clsb) / n / clb**2 + cls**2 * clb * (1 - clb) / n / clb**2
print(json.dumps({"CLs_obs": float(cls), "CLsb": float(clsb), "CLb": float(clb), "CLs_exp": [float(x) for x in band],
                  "uncertainty": float(variance**0.5), "n": n, "seed": seed, "bounds": model.config.suggested_bounds()}))
