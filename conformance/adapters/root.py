#!/usr/bin/env python3
"""Answers conformance cases on HS3 documents with RooFit: needs ROOT 6.40 with PyROOT.

RooJSONFactoryWSTool reads the components of a document. Its likelihood is put together here, as a RooSimultaneous of the
named distributions with their data, since ROOT 6.40.00 combines only what its own key `misc` describes; so analyses and
likelihoods are taken out before it reads. A document that ROOT cannot read may end the process: each is answered by a
child of its own.
"""
import json
import math
import os
import select
import sys

from protocol import Unsupported, answer, finite, hs3_text, serve

sys.stdout = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # ROOT prints there

import ROOT

ROOT.gROOT.SetBatch(True)
ROOT.RooMsgService.instance().setGlobalKillBelow(ROOT.RooFit.FATAL)
ROOT.RooMsgService.instance().setSilentMode(True)
RF = ROOT.RooFit
PATIENCE = 120  # seconds for one question
keep = []


class FailedMinimization(Exception):
    pass


def likelihood_of(document, name):
    analyses = {a["name"]: a["likelihood"] for a in document.get("analyses", [])}
    likelihoods = {l["name"]: l for l in document.get("likelihoods", [])}
    return likelihoods[analyses.get(name, name)]


def components(document):
    """The workspace of everything but analyses and likelihoods, whose axes come with the data."""
    workspace = ROOT.RooWorkspace("workspace")
    tool = ROOT.RooJSONFactoryWSTool(workspace)
    rest = {k: v for k, v in document.items() if k not in ("analyses", "likelihoods")}
    # Only the domain of defaults has a meaning for ROOT; data of a likelihood need their variables to be there.
    if not tool.importJSONfromString(json.dumps(rest)):
        raise RuntimeError("RooJSONFactoryWSTool reads nothing")
    # In ROOT's own files a tag in `misc` makes bins of a channel Poisson counts, as all histfactory_dist are.
    channels = [d["name"] for d in document["distributions"] if d["type"] == "histfactory_dist"]
    channels += [name.removeprefix("model_") for name in channels]
    for pdf in workspace.allPdfs():
        if isinstance(pdf, ROOT.RooRealSumPdf) and any(pdf.GetName() in (name, f"{name}_model") for name in channels):
            pdf.setAttribute("BinnedLikelihood")
    return workspace


def global_observables(document, pdf, data):
    """Those that a domain of this name lists, and those that ROOT makes of constraints without a name."""
    domains = [d for d in document.get("domains", []) if d["name"].endswith("_global_observables")]
    names = {axis["name"] for domain in domains for axis in domain["axes"]}
    found = ROOT.RooArgSet()
    for p in pdf.getParameters(data):
        if isinstance(p, ROOT.RooRealVar) and (p.GetName() in names or p.GetName().startswith("nom_")):
            p.setConstant(True)
            found.add(p)
    return found


def combined(workspace, likelihood):
    """(pdf, data, number of channels)"""
    pairs = list(zip(likelihood["distributions"], likelihood["data"]))
    pdfs, sets = [workspace.pdf(p) for p, _ in pairs], [workspace.data(d) for _, d in pairs]
    if not all(pdfs) or not all(sets):
        raise RuntimeError("a distribution or its data did not become part of the workspace")
    if len(pairs) == 1:
        return pdfs[0], sets[0], 1
    category = ROOT.RooCategory("channels", "channels")
    for i, _ in enumerate(pairs):
        category.defineType(f"c{i}")
    simultaneous = ROOT.RooSimultaneous("simultaneous", "", category)
    variates, parts = ROOT.RooArgSet(category), {}
    for i, (pdf, data) in enumerate(zip(pdfs, sets)):
        simultaneous.addPdf(pdf, f"c{i}")
        parts[f"c{i}"] = data
        variates.add(data.get(), True)
    weight = ROOT.RooRealVar("weight_of_all", "", 1.0)
    variates.add(weight)
    whole = ROOT.RooDataSet("whole", "", variates, RF.Index(category), RF.Import(parts), RF.WeightVar(weight))
    keep.extend([category, simultaneous, parts, weight, whole])
    return simultaneous, whole, len(pairs)


def prepared(request):
    document = json.loads(hs3_text(request))
    likelihood = likelihood_of(document, request["input"]["measurement"])
    workspace = components(document)
    pdf, data, channels = combined(workspace, likelihood)
    keep.append(workspace)
    arguments = [RF.GlobalObservables(global_observables(document, pdf, data)), RF.Offset("none")]
    external = ROOT.RooArgSet()
    for name in likelihood.get("aux_distributions", []):
        external.add(workspace.pdf(name))
    if external.size():
        arguments.append(RF.ExternalConstraints(external))
    keep.append(arguments)
    return workspace, pdf, data, channels, pdf.createNLL(data, *arguments)


def constants(pdf, data, channels):
    """What RooFit's −ln L lacks and has beside the product of probabilities: ln Γ(N + 1) of extended terms, N ln k."""
    names = [f"c{i}" for i in range(channels)] if channels > 1 else [None]
    lacking = 0.0
    for name in names:
        part = pdf.getPdf(name) if name else pdf
        events = (data.reduce(f"channels==channels::{name}") if name else data).sumEntries()
        binned = any(p.getAttribute("BinnedLikelihood") for p in part.getComponents())
        if part.extendMode() != ROOT.RooAbsPdf.CanNotBeExtended and not binned:
            lacking += math.lgamma(events + 1)
    return lacking - data.sumEntries() * math.log(channels)


def move(workspace, point):
    for name, values in point.items():
        variable = workspace.var(name)
        if not variable:
            raise RuntimeError(f"ROOT has no parameter {name}")
        variable.setVal(values[0])
        if variable.getVal() != values[0]:
            raise RuntimeError(f"{name} cannot be {values[0]} in ROOT")


def evaluate(request):
    workspace, pdf, data, channels, nll = prepared(request)
    move(workspace, request["input"]["parameters"])
    value = nll.getVal()
    return {"nll_roofit": finite(value), "twice_nll": finite(2 * (value + constants(pdf, data, channels)))}


def fit(request):
    _, pdf, data, channels, nll = prepared(request)
    minimizer = ROOT.RooMinimizer(nll)
    minimizer.setPrintLevel(-1)
    minimizer.setStrategy(2)
    minimizer.setEps(1e-4)
    status = minimizer.minimize("Minuit2", "migrad") or minimizer.hesse()
    if status:
        raise FailedMinimization("Minuit2")
    found = {p.GetName(): (p.getVal(), p.getError()) for p in minimizer.save().floatParsFinal()}
    return {
        "valid": True,
        "twice_nll": 2 * (nll.getVal() + constants(pdf, data, channels)),
        "mle_parameters": {n: [v] for n, (v, _) in found.items()},
        "uncertainties": {n: [e] for n, (_, e) in found.items()},
    }


def about(request):
    return {"program": "ROOT", "version": str(ROOT.gROOT.GetVersion())}


def by_child(request):
    """The answer of a child, which may end before it gives one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            pipe.write(json.dumps(answer(request, {"about": about, "evaluate": evaluate, "fit": fit})))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        if not select.select([pipe], [], [], PATIENCE)[0]:
            os.kill(child, 9)
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": {"class": "Crash", "message": "ROOT ended or hung"}}


if __name__ == "__main__":
    serve(by_child)
