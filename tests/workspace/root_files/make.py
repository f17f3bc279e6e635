"""Writes the files of tests/workspace/root_file.rs with ROOT 6.40, one for each method of packing. Contents are formulas of the test."""

import array

import ROOT

ROOT.TH1.AddDirectory(False)
METHODS = {"zlib": (1, 1), "lzma": (2, 5), "lz4": (4, 4), "zstd": (5, 5), "none": (1, 0)}
CLASSES = ["TH1F", "TH1D"]
FURTHER = ["TH1I", "TH1S", "TH1C", "TH1L"]

for name, (method, level) in METHODS.items():
    file = ROOT.TFile(f"{name}.root", "RECREATE")
    file.SetCompressionAlgorithm(method)
    file.SetCompressionLevel(level)
    for kind in CLASSES + (FURTHER if name == "none" else []):
        histogram = getattr(ROOT, kind)(f"h_{kind}", "a title", 60, 0, 30)
        for i in range(62):
            histogram.SetBinContent(i, (i * 7) % 90)
        if kind == "TH1D":
            histogram.Sumw2()
            for i in range(62):
                histogram.SetBinError(i, 0.5 * i)
        histogram.Write()
    folder = file.mkdir("channel")
    folder.mkdir("inner").cd()
    edges = ROOT.TH1D("edges", "", 3, array.array("d", [0, 1, 3, 7]))
    for content in (5.5, 6.5):
        edges.SetBinContent(2, content)
        edges.Write()
    if name == "none":
        ROOT.TH2F("two", "", 2, 0, 1, 2, 0, 1).Write()
        ROOT.TProfile("profile", "", 4, 0, 1).Write()
    file.Close()

# What the writer of this crate makes, but for dates and identifiers. Its record of classes is src/root_file/streamer_info.bin.
file = ROOT.TFile("one.root", "RECREATE")
file.SetCompressionLevel(0)
histogram = ROOT.TH1D("hist", "", 3, 0, 3)
histogram.Sumw2()
for i, x in enumerate([1.5, 2.5, 4.0]):
    histogram.SetBinContent(i + 1, x)
    histogram.SetBinError(i + 1, 0.5 * x)
histogram.Write()
file.Close()
