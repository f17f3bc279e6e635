"""ROOT as a rival in speed: the value of the likelihood that RooFit builds from HistFactory, all parameters moved.

ROOT has no exact gradient here, and Minuit2 stops 1e-4 and more above the minimum, so only the value is timed. ROOT
multiplies every sample by its luminosity, so pyhf's `lumi` becomes a normalisation factor with an external constraint."""

import json
import os
import sys
import tempfile
from pathlib import Path

import speed_block

import ROOT

TIMER = """
#include <ctime>
#include <vector>
double cpu() { timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
double block(RooAbsReal &nll, std::vector<RooRealVar *> &parameters, std::vector<double> &start, int calls) {
  double spent = 0, overhead = 0;
  for (int k = 0; k < calls; ++k) {
    for (size_t i = 0; i < parameters.size(); ++i)
      parameters[i]->setVal(start[i] + 1e-5 * ((7 * i + 3 * k) % 11 + 1));
    double a = cpu(); nll.getVal(); double b = cpu(); double c = cpu();
    spent += b - a; overhead += c - b;
  }
  return (spent - overhead) / calls;
}
"""


def main():
    path = Path(sys.argv[1]).resolve()
    os.chdir(tempfile.mkdtemp())  # HistFactory writes files where it stands
    ROOT.gROOT.SetBatch(True)
    ROOT.gErrorIgnoreLevel = ROOT.kError
    ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.ERROR)
    ROOT.gInterpreter.Declare(TIMER)
    document = json.loads(path.read_text())
    workspace, external = build(document)
    config = workspace["ModelConfig"]
    density, data = config.GetPdf(), workspace["obsData"]
    nuisances = config.GetNuisanceParameters() or ROOT.RooArgSet()
    options = [ROOT.RooFit.EvalBackend("cpu"), ROOT.RooFit.GlobalObservables(config.GetGlobalObservables()),
               ROOT.RooFit.Constrain(nuisances)]
    if external.size():
        options.append(ROOT.RooFit.ExternalConstraints(external))
    nll = density.createNLL(data, *options)
    free = [p for p in density.getParameters(data) if isinstance(p, ROOT.RooRealVar) and not p.isConstant()]
    parameters, start = ROOT.std.vector("RooRealVar*")(), ROOT.std.vector("double")()
    for parameter in free:
        parameters.push_back(parameter)
        start.push_back(parameter.getVal())
    about = {"version": str(ROOT.gROOT.GetVersion()), "start": None}

    def measure():
        rough = max(ROOT.block(nll, parameters, start, 100), 1e-7)
        calls = int(min(max(speed_block.BLOCK_S / rough, 100), 100_000))
        return {"value": {"RooFit cpu": ROOT.block(nll, parameters, start, calls)}, "gradient": {}, "fit": {}}

    speed_block.serve(about, measure)


def histogram(values, keep=[]):
    """A histogram of unit bins; kept alive, for HistFactory holds on to it."""
    name = f"h{len(keep)}"
    filled = ROOT.TH1D(name, name, len(values), 0.0, float(len(values)))
    filled.SetDirectory(0)
    for i, value in enumerate(values):
        filled.SetBinContent(i + 1, value)
    ROOT.SetOwnership(filled, False)
    keep.append(filled)
    return filled


def build(document):
    """RooFit's workspace of the first measurement and the external constraint of `lumi` (an empty set without it)."""
    factory = ROOT.RooStats.HistFactory
    config = document["measurements"][0]["config"]
    configured = {item["name"]: item for item in config["parameters"]}
    measurement = factory.Measurement("measurement", "measurement")
    measurement.SetPOI(config["poi"])
    measurement.SetLumi(1.0)
    measurement.SetLumiRelErr(0.01)
    measurement.AddConstantParam("Lumi")
    observed = {item["name"]: item["data"] for item in document["observations"]}
    for channel in document["channels"]:
        target = factory.Channel(channel["name"])
        target.SetData(histogram(observed[channel["name"]]))
        target.SetStatErrorConfig(0.0, factory.Constraint.Gaussian)
        for sample in channel["samples"]:
            target.AddSample(build_sample(factory, channel["name"], sample, configured))
        measurement.AddChannel(target)
    workspace = factory.MakeModelAndMeasurementFast(measurement)
    return workspace, lumi_constraint(workspace, configured)


def build_sample(factory, channel, sample, configured):
    target = factory.Sample(sample["name"])
    target.SetHisto(histogram(sample["data"]))
    target.SetChannelName(channel)
    target.SetNormalizeByTheory(False)
    for modifier in sample["modifiers"]:
        name, data = modifier["name"], modifier["data"]
        match modifier["type"]:
            case "normfactor" | "lumi":
                settings = configured.get(name, {})
                low, high = settings.get("bounds", [[0.0, 10.0]])[0]
                target.AddNormFactor(name, settings.get("inits", [1.0])[0], low, high)
            case "normsys":
                target.AddOverallSys(name, data["lo"], data["hi"])
            case "histosys":
                shape = factory.HistoSys()
                shape.SetName(name)
                shape.SetHistoLow(histogram(data["lo_data"]))
                shape.SetHistoHigh(histogram(data["hi_data"]))
                target.AddHistoSys(shape)
            case "staterror":
                target.GetStatError().Activate(True)
                target.GetStatError().SetUseHisto(True)
                target.GetStatError().SetErrorHist(histogram(relative(data, sample["data"])))
            case "shapesys":
                shape = factory.ShapeSys()
                shape.SetName(name)
                shape.SetConstraintType(factory.Constraint.Poisson)
                shape.SetErrorHist(histogram(relative(data, sample["data"])))
                target.AddShapeSys(shape)
            case "shapefactor":
                target.AddShapeFactor(name)
    return target


def relative(errors, nominal):
    return [error / value if value > 0 else 0.0 for error, value in zip(errors, nominal)]


def lumi_constraint(workspace, configured):
    external, lumi = ROOT.RooArgSet(), workspace.var("lumi")
    if not lumi:
        return external
    if configured["lumi"].get("fixed"):
        lumi.setConstant(True)
        return external
    workspace.factory(f"Gaussian::lumi_constraint(lumi_nominal[1,0,10],lumi,{configured['lumi']['sigmas'][0]})")
    workspace.var("lumi_nominal").setConstant(True)
    external.add(workspace.pdf("lumi_constraint"))
    return external


if __name__ == "__main__":
    main()
