//! Histograms of ROOT files (spec/root-files.md). The files are of ROOT 6.40, written by tests/workspace/root_files/make.py; contents
//! are its formulas.

use crate::common;

use common::Random;
use morphist::root_file::{Histogram, RootFile, Writer};
use std::path::Path;

const METHODS: [&str; 5] = ["zlib", "lzma", "lz4", "zstd", "none"];

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/workspace/root_files/{name}.root")))
        .unwrap()
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

/// Byte for byte what ROOT 6.40 writes, but for dates and identifiers.
#[test]
fn files_are_written_as_root_writes_them() {
    let theirs = bytes("one");
    let mut writer = Writer::default();
    writer.add("hist", &[1.5, 2.5, 4.0], Some(&[0.75, 1.25, 2.0])).unwrap();
    let ours = writer.finish("one.root").unwrap();
    assert_eq!(ours.len(), theirs.len());
    // The identifier and the dates in the head, in five keys, in the directory and in its list.
    let place = |at: usize| u32::from_be_bytes(theirs[at..at + 4].try_into().unwrap()) as usize;
    let (free, info, directory) = (place(16), place(37), 100 + place(28));
    let list = place(directory + 26);
    let keys = [100, directory + 60, info, list, free, list + 42 + 4];
    let dates = keys.iter().map(|key| key + 10..key + 14).chain(std::iter::once(directory + 2..directory + 10));
    let allowed: Vec<_> = dates.chain([47..63, directory + 32..directory + 48]).collect();
    for (at, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        assert!(a == b || allowed.iter().any(|range| range.contains(&at)), "byte {at}: {a}, and ROOT {b}");
    }
    let read = |bytes: Vec<u8>| RootFile::from_bytes(bytes).unwrap().histogram("hist").unwrap().unwrap();
    assert_eq!(read(ours), read(theirs));
}

#[test]
fn written_files_are_read() {
    let mut writer = Writer::default();
    let long = "n".repeat(300);
    let contents: Vec<f64> = (0..5000).map(|i| 0.1 * f64::from(i)).collect();
    for name in ["first", "second", long.as_str()] {
        writer.add(name, &contents, None).unwrap();
    }
    for wrong in ["first", "", "a/b", "a;1"] {
        assert!(writer.add(wrong, &contents, None).is_err(), "{wrong}");
    }
    assert!(writer.add("empty", &[], None).is_err() && writer.add("errors", &[1.0], Some(&[])).is_err());
    let file = RootFile::from_bytes(writer.finish("some.root").unwrap()).unwrap();
    assert_eq!(file.paths(), ["first", "second", &long]);
    assert_eq!(file.histogram(&long).unwrap().unwrap().contents, contents);
    assert!(Writer::default().finish("none.root").is_ok_and(|bytes| RootFile::from_bytes(bytes).is_ok()));
}
