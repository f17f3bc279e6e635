"""Time of -ln L and of its gradient in RooFit (`cpu` backend) and in pyhs3 (compiled), in CPU microseconds of one thread.

    python hs3_speed.py root FILE...       in an environment with ROOT
    python hs3_speed.py pyhs3 FILE...      in one with pyhs3
    python hs3_speed.py fits FILE...       with ROOT: fits by Minuit2 and by the program at MORPHIST, one after the other
    python hs3_speed.py gradients FILE...  with ROOT: -ln L with its gradient, as above, by RooFit and by that program

All channels of a file are one likelihood. RooFit's backend has no derivatives: its gradient is what Minuit would do, two
values for each free parameter. Parameters move before each evaluation, so that nothing is taken from a cache.
"""

import json
import os
import subprocess
import sys
import time
import warnings

warnings.filterwarnings("ignore")


def timed(f):
    f()
    start = time.process_time()
    f()
    count = max(1, int(0.3 / max(time.process_time() - start, 1e-6)))
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        for _ in range(count):
            f()
        best = min(best, (time.process_time() - start) / count)
    return 1e6 * best


def roofit(path):
    """The workspace, which has to live, and RooFit's -ln L."""
    import ROOT

    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
    with open(path) as file:
        document = json.load(file)
    workspace = ROOT.RooWorkspace("w")
    assert ROOT.RooJSONFactoryWSTool(workspace).importJSON(path)
    combined = document["misc"]["ROOT_internal"]
    (pdf,), (data,) = combined["combined_distributions"], combined["combined_datasets"]
    names = {name for likelihood in document["likelihoods"] for name in likelihood.get("aux_distributions", [])}
    constraints, observed = ROOT.RooArgSet(), ROOT.RooArgSet()
    for name in sorted(names):
        constraints.add(workspace.pdf(name))
    for domain in document["domains"]:
        if domain["name"].endswith("_global_observables"):
            for axis in domain["axes"]:
                observed.add(workspace.var(axis["name"]))
    for each in observed:
        each.setConstant(True)
    options = [ROOT.RooFit.EvalBackend("cpu")]
    if names:
        options += [ROOT.RooFit.ExternalConstraints(constraints), ROOT.RooFit.GlobalObservables(observed)]
    return workspace, workspace.pdf(pdf).createNLL(workspace.data(data), *options)


def in_root(path):
    import ROOT

    workspace, nll = roofit(path)
    stored = nll.getVal()
    free = [p for p in nll.getVariables() if isinstance(p, ROOT.RooRealVar) and not p.isConstant()]

    def value():
        for parameter in free:
            parameter.setVal(parameter.getVal() * (1 + 1e-9))
        return nll.getVal()

    def with_gradient():
        value()
        for parameter in free:
            x = parameter.getVal()
            h = 1e-5 * max(abs(x), 0.1)
            for moved in (x + h, x - h):
                parameter.setVal(moved)
                nll.getVal()
            parameter.setVal(x)

    return stored, len(free), timed(value), timed(with_gradient)


def fits(path):
    """CPU milliseconds of a fit from the file's start: MIGRAD, MIGRAD and HESSE, and ours, whose Hessian is exact; of five
    measurements each the lowest."""
    import ROOT

    workspace, nll = roofit(path)
    parameters = nll.getVariables()
    start = parameters.snapshot()
    migrad, hesse = float("inf"), float("inf")
    for _ in range(5):
        parameters.assign(start)
        begin = time.process_time()
        minimizer = ROOT.RooMinimizer(nll)
        minimizer.setPrintLevel(-1)
        assert minimizer.minimize("Minuit2", "migrad") == 0
        migrad = min(migrad, time.process_time() - begin)
        assert minimizer.hesse() == 0
        hesse = min(hesse, time.process_time() - begin)
    return 1e3 * migrad, 1e3 * hesse, 1e3 * min(own(path)["fit_warm_s"] for _ in range(5))


def own(path):
    command = [os.environ["MORPHIST"], "bench", "--likelihood", "*", "--blocks", "11", path]
    (ours,) = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert ours["fit_valid"]
    return ours


def in_pyhs3(path):
    import numpy
    import pyhs3
    import pytensor
    import pytensor.gradient

    workspace = pyhs3.Workspace.load(path)
    first = workspace.analyses[0]
    model = workspace.model(first, progress=False)
    log_prob = model.log_prob.sum()
    inputs = [x for x in pytensor.graph.basic.graph_inputs([log_prob]) if x.name in model.free_params]
    givens = {
        x: numpy.asarray(dict(model.data, **model.nominal_params)[x.name])
        for x in pytensor.graph.basic.graph_inputs([log_prob])
        if x.name and x.name not in model.free_params
    }
    givens = {x: pytensor.tensor.as_tensor_variable(v).astype(x.dtype) for x, v in givens.items()}
    of = lambda out: pytensor.function(inputs, out, givens=givens, mode=os.environ.get("PYHS3_MODE", "NUMBA"))
    value, both = of(-log_prob), of([-log_prob, *pytensor.gradient.grad(-log_prob, inputs)])
    point = [numpy.asarray(model.free_params[x.name]) for x in inputs]
    return float(value(*point)), len(inputs), timed(lambda: value(*point)), timed(lambda: both(*point))


if __name__ == "__main__":
    for path in sys.argv[2:]:
        name = os.path.basename(path)
        if sys.argv[1] == "fits":
            migrad, hesse, ours = fits(path)
            print(f"{name}: MIGRAD {migrad:.3f}, with HESSE {hesse:.3f}, ours {ours:.3f}: {migrad / ours:.1f} times")
            continue
        if sys.argv[1] == "gradients":
            _, free, value, both = in_root(path)
            runs = [own(path) for _ in range(3)]
            ours = [1e6 * min(run[key] for run in runs) for key in ("twice_nll_s", "gradient_s")]
            ratios = f"{value / ours[0]:.1f} and {both / ours[1]:.1f} times"
            print(f"{name}: {free} free; value {value:.1f} and {ours[0]:.1f}, with gradient {both:.1f} and {ours[1]:.1f}: {ratios}")
            continue
        stored, free, value, both = {"root": in_root, "pyhs3": in_pyhs3}[sys.argv[1]](path)
        print(f"{name}: {free} free, -ln L {stored:.6f}, value {value:.1f}, with gradient {both:.1f}")
