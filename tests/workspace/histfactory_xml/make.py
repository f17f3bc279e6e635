"""Writes the ROOT files of this folder and expected.json, which is what pyhf 0.7.6 makes of config/top.xml.

Run in this folder, with a Python that has ROOT 6.40 and with the program pyhf (of pyhf[xmlio]) as the argument.
"""

import os
import subprocess
import sys

import ROOT

ROOT.TH1.AddDirectory(False)


def histogram(name, contents, errors=None):
    own = ROOT.TH1D(name, "", len(contents), 0, len(contents))
    for i, x in enumerate(contents):
        own.SetBinContent(i + 1, x)
        if errors:
            own.SetBinError(i + 1, errors[i])
    own.Write()


os.makedirs("data", exist_ok=True)
file = ROOT.TFile("data/shapes.root", "RECREATE")
signal = file.mkdir("signal")
signal.cd()
histogram("data", [22, 17, 5])
histogram("sig", [1.5, 3.25, 0.5], [0.1, 0.2, 0.1])
histogram("top", [12.0, 9.0, 3.0])
signal.mkdir("jes").cd()
histogram("sig_low", [1.25, 3.0, 0.375])
histogram("sig_high", [1.75, 3.5, 0.75])
file.mkdir("control").cd()
histogram("data", [101])
histogram("top", [96.0], [4.0])
file.Close()
file = ROOT.TFile("data/more.root", "RECREATE")
file.SetCompressionAlgorithm(5)
histogram("top_low", [11.0, 8.5, 2.75])
histogram("top_high", [13.0, 9.5, 3.5])
histogram("qcd", [7.0, 4.0, 1.0])
histogram("qcd_stat", [0.1, 0.2, 0.3])
histogram("qcd_shape", [0.25, 0.125, 0.5])
file.Close()
subprocess.run([sys.argv[1], "xml2json", "config/top.xml", "--basedir", ".", "-v", "config:/data/there",
                "--hide-progress", "--output-file", "expected.json"], check=True)
