//! Histograms of ROOT files (spec/root-files.md). The files are of ROOT 6.40, written by tests/root_files/make.py; contents
//! are its formulas.

mod common;

use common::Random;
use morphist::root_file::{Histogram, RootFile};
use std::path::Path;

const METHODS: [&str; 5] = ["zlib", "lzma", "lz4", "zstd", "none"];

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/root_files/{name}.root"))).unwrap()
}

fn file(name: &str) -> RootFile {
    RootFile::from_bytes(bytes(name)).unwrap()
}

fn content(i: usize) -> f64 {
    ((i * 7) % 90) as f64
}

fn check(histogram: &Histogram, name: &str) {
    assert_eq!(histogram.name, name);
    assert_eq!(histogram.edges, (0..=60).map(|i| 0.5 * i as f64).collect::<Vec<_>>());
    assert_eq!(histogram.contents, (1..=60).map(content).collect::<Vec<_>>());
    assert_eq!((histogram.underflow, histogram.overflow), (content(0), content(61)));
}

#[test]
fn every_method_of_packing_is_read() {
    for method in METHODS {
        let file = file(method);
        let single = file.histogram("h_TH1F").unwrap().unwrap();
        check(&single, "h_TH1F");
        assert!(!single.has_sumw2);
        assert_eq!(single.errors, (1..=60).map(|i| content(i).sqrt()).collect::<Vec<_>>());
        let double = file.histogram("/h_TH1D").unwrap().unwrap();
        check(&double, "h_TH1D");
        assert!(double.has_sumw2);
        assert_eq!(double.errors, (1..=60).map(|i| 0.5 * i as f64).collect::<Vec<_>>());
    }
}

#[test]
fn every_class_of_contents_is_read() {
    let file = file("none");
    for class in ["TH1I", "TH1S", "TH1C", "TH1L"] {
        let name = format!("h_{class}");
        check(&file.histogram(&name).unwrap().unwrap(), &name);
        assert_eq!(file.class(&name), Some(class));
    }
    for (path, class) in [("channel/inner/two", "TH2F"), ("channel/inner/profile", "TProfile")] {
        let message = file.histogram(path).unwrap_err().0;
        assert!(message.contains(class) && message.contains(path), "{message}");
    }
}

#[test]
fn directories_and_cycles_are_found() {
    let file = file("zstd");
    let cycle = |path: &str| file.histogram(path).unwrap().map(|h| (h.edges, h.contents));
    let own = |x: f64| Some((vec![0.0, 1.0, 3.0, 7.0], vec![0.0, x, 0.0]));
    assert_eq!(cycle("channel/inner/edges"), own(6.5));
    assert_eq!(cycle("channel/inner/edges;1"), own(5.5));
    assert_eq!(cycle("channel//inner/edges;2"), own(6.5));
    for nothing in ["channel/inner/edges;3", "channel/edges", "edges", "channel/inner/edges/more", "", "h_TH1D/x"] {
        assert_eq!(cycle(nothing), None, "{nothing}");
    }
    assert_eq!(file.paths(), ["h_TH1F", "h_TH1D", "channel/inner/edges"]);
}

/// Reads all that a damaged file still has: an error or a histogram, no panic.
fn read_all(bytes: Vec<u8>) -> usize {
    let Ok(file) = RootFile::from_bytes(bytes) else { return 0 };
    file.paths().iter().filter(|path| matches!(file.histogram(path), Ok(Some(_)))).count()
}

#[test]
fn damaged_files_are_refused() {
    for wrong in [b"".as_slice(), b"root", b"PK\x03\x04", b"root\0\0\xf3\x00\0\0\0\x64"] {
        assert!(RootFile::from_bytes(wrong.to_vec()).is_err());
    }
    let mut random = Random(3);
    for method in METHODS {
        let whole = bytes(method);
        assert!(read_all(whole.clone()) >= 3);
        for end in (0..whole.len()).step_by(97) {
            read_all(whole[..end].to_vec());
        }
        for _ in 0..300 {
            let mut damaged = whole.clone();
            for _ in 0..1 + (random.uniform() * 4.0) as usize {
                let place = (random.uniform() * damaged.len() as f64) as usize;
                damaged[place] = [0, 1, 0x3f, 0x7f, 0x80, 0xff][(random.uniform() * 6.0) as usize];
            }
            read_all(damaged);
        }
    }
}
