"""MINOS errors, a profile and impacts by RooFit for files that ROOT exported, for tests/hs3/profile.rs.

python tests/peer/hs3_profile.py CORPUS
"""

import json
import sys
from pathlib import Path

import ROOT

FILES = [("mixture_dist_extended", "ns", [10.0, 30.0, 60.0], []), ("simultaneous_shared_constraint", "mu", [0.5, 1.4], ["alpha"])]


def fit(nll, minos=None):
    minimizer = ROOT.RooMinimizer(nll)
    minimizer.setPrintLevel(-1)
    minimizer.setStrategy(2)
    minimizer.setEps(1e-6)
    minimizer.minimize("Minuit2", "migrad")
    minimizer.hesse()
    if minos:
        minimizer.minos(ROOT.RooArgSet(*minos))
    return nll.getVal()


def main():
    ROOT.gROOT.SetBatch(True)
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    for name, poi, values, nuisances in FILES:
        workspace = ROOT.RooWorkspace("w")
        ROOT.RooJSONFactoryWSTool(workspace).importJSON(str(Path(sys.argv[1]) / "corpus/hs3/root" / f"{name}.json"))
        config = next(o for o in workspace.allGenericObjects() if o.InheritsFrom("RooStats::ModelConfig"))
        options = [ROOT.RooFit.Constrain(ROOT.RooArgSet(config.GetNuisanceParameters()))]
        if config.GetGlobalObservables():
            options.append(ROOT.RooFit.GlobalObservables(config.GetGlobalObservables()))
        nll = config.GetPdf().createNLL(workspace.data("obsData"), *options)
        free = [v for v in nll.getVariables() if not v.isConstant() and v.InheritsFrom("RooRealVar")]
        lowest = fit(nll, minos=free)
        minos = {v.GetName(): [v.getVal(), v.getErrorLo(), v.getErrorHi()] for v in free}
        best = {v.GetName(): (v.getVal(), v.getError()) for v in free}
        variable, profile = workspace.var(poi), {}
        for value in values:
            variable.setVal(value)
            variable.setConstant(True)
            profile[value] = 2 * (fit(nll) - lowest)
        variable.setConstant(False)
        impacts = {}
        for nuisance in nuisances:
            held, (value, error), shifts = workspace.var(nuisance), best[nuisance], []
            for sign in (1, -1):
                for v in free:
                    v.setVal(best[v.GetName()][0])
                held.setVal(value + sign * error)
                held.setConstant(True)
                fit(nll)
                shifts.append(variable.getVal() - best[poi][0])
            held.setConstant(False)
            impacts[nuisance] = {"error": error, "shifts": shifts}
        print(json.dumps({"name": name, "minos": minos, "profile": profile, "impacts": impacts}))


if __name__ == "__main__":
    main()
