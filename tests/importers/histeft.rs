//! Rows of quadratic coefficients of TopEFT's histograms.

use super::*;
use morphist::import::histeft;
use std::io::Write;

#[test]
fn histeft_rows_count_each_product_once() {
    let Some(truth) = Truth::read() else { return };
    let recorded = &truth.vectors["histeft"];
    let json = json!({"wc_names": recorded["wc_names"], "eft_coeff": recorded["rows_absolute"]});
    let import = histeft::read("rows.json", bytes(&json), None, &options()).unwrap();
    truth.holds_for(&import, &truth.nominal(), "HistEFT, JSON");
    let rows: Vec<Vec<f64>> = serde_json::from_value(recorded["rows_absolute"].clone()).unwrap();
    let archive = npz(&[("eft_coeff", npy("<f8", "False", "2, 6", &le(&rows.concat())))]);
    let names = ["ca".to_owned(), "cb".to_owned()];
    let import = histeft::read("rows.npz", archive, Some(&names), &options()).unwrap();
    truth.holds_for(&import, &truth.nominal(), "HistEFT, npz");
}

/// The archives are numpy's own (tests/importers/histeft.py).
#[test]
fn archives_of_numpy() {
    let file = |name: &str| std::fs::read(format!("{}/tests/importers/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let import = histeft::read("histeft.npz", file("histeft.npz"), None, &options()).unwrap();
    assert_eq!(import.responses[0].nominal, Some(vec![8.0, 3.0]));
    for (monomial, values) in [
        (&["ctW"][..], [1.5, -0.5]),
        (&["ctW", "ctW"], [0.5, 2.0]),
        (&["ctp"], [-2.25, 0.25]),
        (&["ctW", "ctp"], [0.75, -1.5]),
        (&["ctp", "ctp"], [1.0, 4.0]),
    ] {
        assert_eq!(coefficient(&import.responses[0], monomial), PerBin::Each(values.to_vec()), "{monomial:?}");
    }
    assert!(import.warnings.0.iter().any(|f| f.found.contains("edges")), "{}", import.warnings);
    let other = histeft::read("other.npz", file("histeft_other_types.npz"), None, &options()).unwrap();
    assert_eq!(other.responses, import.responses);
    let parquet =
        || std::fs::File::open(format!("{}/tests/importers/histeft.parquet", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let names = ["ctW".to_owned(), "ctp".to_owned()];
    let columns = histeft::read_parquet(parquet(), &names, &options()).unwrap();
    assert_eq!(columns.responses, import.responses);
    assert!(columns.warnings.0[0].found.contains("\"bin\""), "{}", columns.warnings);
    let three = [names.as_slice(), &["more".to_owned()]].concat();
    let missing = histeft::read_parquet(parquet(), &three, &options()).unwrap_err();
    assert!(missing.0[0].found.contains("eft_coeff_6"), "{missing}");
    let objects = histeft::read("objects.npz", file("objects.npz"), None, &options()).unwrap_err();
    assert!(objects.0[0].found.contains("pickles"), "{objects}");
}

fn le(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn npy(kind: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': ({shape}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(data);
    file
}

fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, array) in arrays {
        zip.start_file(format!("{name}.npy"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(array).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn hostile_archives_are_named_errors() {
    let rows =
        |array: Vec<u8>| error(histeft::read("h", npz(&[("eft_coeff", array)]), Some(&["a".into()]), &options()));
    rows(npy("<f8", "False", "1, 6", &le(&[1.0; 6])));
    rows(npy("<f8", "False", "3,", &le(&[1.0; 3])));
    rows(npy("<f8", "False", "1, 3", &le(&[1.0, f64::NAN, 1.0])));
    rows(npy("<f8", "False", "1, 3", &le(&[1.0; 2])));
    rows(npy("<f8", "False", "18446744073709551615, 18446744073709551615", &[]));
    rows(npy("<f8", "False", "0, 3", &[]));
    rows(npy("<f8", "False", "1000000000000, 0", &[]));
    rows(npy("<f999999999999999999999", "False", "1, 3", &le(&[1.0; 3])));
    rows(npy("|O", "False", "1, 3", &le(&[1.0; 3])));
    rows(npy("<c16", "False", "1, 3", &le(&[1.0; 6])));
    rows(b"\x93NUMPY\x01\x00\xff\xff{".to_vec());
    rows(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec());
    rows(Vec::new());
    let good = npz(&[("eft_coeff", npy("<f8", "False", "1, 3", &le(&[1.0; 3])))]);
    assert!(histeft::read("h", good.clone(), Some(&["a".into()]), &options()).is_ok());
    error(histeft::read("h", good.clone(), None, &options()));
    error(histeft::read("h", good.clone(), Some(&["a".into(), "a".into()]), &options()));
    for length in 0..good.len() {
        error(histeft::read("h", good[..length].to_vec(), Some(&["a".into()]), &options()));
    }
}

#[test]
fn damaged_archives_never_panic() {
    let archive =
        std::fs::read(format!("{}/tests/importers/histeft_other_types.npz", env!("CARGO_MANIFEST_DIR"))).unwrap();
    damage(3, &archive, |file| histeft::read("h", file, None, &options()));
}
