//! Histograms of ROOT files (spec/root-files.md).
