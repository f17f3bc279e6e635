"""Asimov data and asymptotic tests of RooStats for files that ROOT exported, for tests/hs3/toys.rs.

python tests/peer/hs3_toys.py CORPUS
"""

import json
import sys
from pathlib import Path

import ROOT

FILES = [("mixture_dist_extended", "ns", ["m"], [10.0, 60.0]), ("simultaneous_shared_constraint", "mu", [], [0.5, 2.0])]


def model_config(workspace):
    return next(o for o in workspace.allGenericObjects() if o.InheritsFrom("RooStats::ModelConfig"))


def asimov(workspace, config, poi, values):
    """RooFit's -ln L of the Asimov data of the stored point, there and at other values of the POI."""
    data = ROOT.RooStats.AsymptoticCalculator.GenerateAsimovData(config.GetPdf(), config.GetObservables())
    options = [ROOT.RooFit.Constrain(ROOT.RooArgSet(config.GetNuisanceParameters()))]
    if config.GetGlobalObservables():
        options.append(ROOT.RooFit.GlobalObservables(config.GetGlobalObservables()))
    nll = config.GetPdf().createNLL(data, *options)
    poi = workspace.var(poi)
    stored = poi.getVal()
    result = {}
    for value in [stored, *values]:
        poi.setVal(value)
        result[value] = nll.getVal()
    poi.setVal(stored)
    return {"events": data.sumEntries(), "nll": result}


def snapshots(config, poi, values):
    """Copies of a configuration with the POI at values."""
    stored = poi.getVal()
    for name, value in values:
        poi.setVal(value)
        copy = config.Clone(name)
        copy.SetSnapshot(ROOT.RooArgSet(poi))
        yield copy
    poi.setVal(stored)


def tests(workspace, config, poi, values):
    data, poi = workspace.allData().front(), workspace.var(poi)
    result = {}
    for value in values:
        signal, background = snapshots(config, poi, [("signal", value), ("background", 0.0)])
        calculator = ROOT.RooStats.AsymptoticCalculator(data, background, signal)
        calculator.SetOneSided(True)
        calculator.SetQTilde(True)
        found = calculator.GetHypoTest()
        p, alternate = found.NullPValue(), found.AlternatePValue()
        expected = [calculator.GetExpectedPValues(p, alternate, n, True) for n in (2, 1, 0, -1, -2)]
        # The calculator's null hypothesis is that of the signal.
        result[value] = {"CLs": p / alternate, "expected": expected}
    background, signal = snapshots(config, poi, [("background", 0.0), ("signal", 1.0)])
    calculator = ROOT.RooStats.AsymptoticCalculator(data, signal, background)
    calculator.SetOneSidedDiscovery(True)
    found = calculator.GetHypoTest()
    expected = calculator.GetExpectedPValues(found.NullPValue(), found.AlternatePValue(), 0, False)
    return {"tests": result, "p0": found.NullPValue(), "expected_p0": expected}


def main():
    ROOT.gROOT.SetBatch(True)
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    ROOT.RooStats.AsymptoticCalculator.SetPrintLevel(-1)
    ROOT.Math.MinimizerOptions.SetDefaultPrintLevel(-1)
    for name, poi, fixed, values in FILES:
        workspace = ROOT.RooWorkspace("w")
        ROOT.RooJSONFactoryWSTool(workspace).importJSON(str(Path(sys.argv[1]) / "corpus/hs3/root" / f"{name}.json"))
        config = model_config(workspace)
        for parameter in fixed:
            workspace.var(parameter).setConstant(True)
        free = [v for v in config.GetNuisanceParameters() if v.GetName() not in fixed]
        config.SetNuisanceParameters(ROOT.RooArgSet(*free))
        found = {"name": name, **asimov(workspace, config, poi, values), **tests(workspace, config, poi, values)}
        print(json.dumps(found))


if __name__ == "__main__":
    main()
