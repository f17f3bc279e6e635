//! HistFactory XML (spec/histfactory-xml.md). The judge is pyhf 0.7.6: tests/workspace/histfactory_xml/make.py.

use crate::common;

use common::program::{json_of, morphist, scratch, stderr};
use morphist::import::histfactory_xml::{self, Mount, XmlOptions};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/workspace/histfactory_xml");

fn expected() -> Value {
    common::read_json(&Path::new(FOLDER).join("expected.json"))
}

fn top(command: &[&str]) -> Vec<String> {
    let mounted = format!("{FOLDER}/config:/data/there");
    let entry = format!("{FOLDER}/config/top.xml");
    let all = [command, &[entry.as_str(), "--basedir", FOLDER, "-v", &mounted]].concat();
    all.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_combination_is_what_pyhf_makes_of_it() {
    for command in [&["xml2json"][..], &["import", "xml"]] {
        let arguments = top(command);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(json_of(&arguments, 0), expected());
    }
}

/// A channel with one sample, and the combination of it.
fn written(name: &str, channel: &str, measurement: &str) -> String {
    let channel = scratch(&format!("{name}_channel.xml"), channel);
    let input = channel.display();
    let text = format!("<Combination><Input>{input}</Input>{measurement}</Combination>");
    scratch(&format!("{name}.xml"), &text).display().to_string()
}

const MEASUREMENT: &str = r#"<Measurement Name="m" Lumi="1" LumiRelErr="0.1"><POI>mu</POI></Measurement>"#;

fn channel(inside: &str) -> String {
    let file = format!("{FOLDER}/data/shapes.root");
    format!(
        "<Channel Name=\"c\" InputFile=\"{file}\" HistoPath=\"signal\">\n<Data HistoName=\"data\" />\n\
         <Sample Name=\"s\" HistoName=\"sig\">\n<NormFactor Name=\"mu\" Val=\"1\" Low=\"0\" High=\"5\" />\n{inside}\n</Sample>\n</Channel>\n"
    )
}

/// What pyhf passes over without a word.
#[test]
fn what_a_workspace_cannot_say_is_told() {
    for (inside, fragment) in [
        ("<StatError Activate=\"True\" />", "2 bins with a relative uncertainty below 0.1"),
        ("<OverallSys Name=\"a\" Low=\"0.9\" High=\"1.1\" Shape=\"x\" />", "Shape=\"x\" of OverallSys"),
        (
            "<ShapeSys Name=\"a\" HistoName=\"sig\" ConstraintType=\"Gaussian\" />",
            "ConstraintType \"Gaussian\" of \"a\"",
        ),
        ("<Other Name=\"a\" />", "the modifier Other"),
        (
            "</Sample><StatErrorConfig ConstraintType=\"Poisson\" RelErrorThreshold=\"0.1\" /><Sample Name=\"t\" HistoName=\"top\">",
            "ConstraintType \"Poisson\"",
        ),
        ("</Sample><Data HistoName=\"data\" /><Sample Name=\"t\" HistoName=\"top\">", "a second Data"),
        ("</Sample><Extra /><Sample Name=\"t\" HistoName=\"top\">", "the element Extra in Channel"),
    ] {
        let mut text = channel(inside);
        if fragment.contains("0.1") {
            text =
                text.replace("<Sample Name=\"s\"", "<StatErrorConfig RelErrorThreshold=\"0.1\" />\n<Sample Name=\"s\"");
        }
        let entry = written("told", &text, MEASUREMENT);
        let output = morphist(&["xml2json", &entry]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{inside}: {told}");
        assert!(
            told.contains("W478") && told.contains(fragment) && told.contains("told_channel.xml:"),
            "{inside}: {told}"
        );
    }
    for (from, to, fragment) in [
        ("Name=\"m\"", "Name=\"m\" BinLow=\"1\"", "BinLow=\"1\""),
        (
            "</POI>",
            "</POI><ConstraintTerm Type=\"Gamma\" RelativeUncertainty=\".1\">a</ConstraintTerm>",
            "ConstraintTerm",
        ),
        ("</POI>", "</POI><POI>other</POI>", "a second POI"),
    ] {
        let entry = written("told_top", &channel(""), &MEASUREMENT.replace(from, to));
        let told = stderr(&morphist(&["xml2json", &entry]));
        assert!(told.contains("W478") && told.contains(fragment) && told.contains("told_top.xml:1:"), "{told}");
    }
}

#[test]
fn all_that_is_wrong_is_told_by_file_and_line() {
    for (inside, rule, line, fragment) in [
        ("<OverallSys Name=\"a\" Low=\"0.9\" />", "W476", 5, "OverallSys without High"),
        ("<OverallSys Name=\"a\" Low=\"x\" High=\"1\" />", "W476", 5, "\"x\""),
        ("<OverallSys Low=\"1\" High=\"1\" />", "W476", 5, "without Name"),
        ("<NormFactor Name=\"mu\" Val=\"1\" Low=\"0\" High=\"6\" />", "W476", 5, "\"mu\" with another value"),
        ("<StatError />", "W476", 5, "without Activate"),
        ("<StatError Activate=\"yes\" />", "W476", 5, "\"yes\""),
        (
            "<HistoSys Name=\"a\" HistoNameLow=\"none\" HistoNameHigh=\"top\" />",
            "W477",
            5,
            "no \"none\" and no \"signal/none\"",
        ),
        ("<HistoSys Name=\"a\" HistoNameLow=\"top\" />", "W476", 5, "without HistoNameHigh"),
        ("<HistoSys Name=\"a\" HistoNameLow=\"control/top\" HistoNameHigh=\"top\" />", "W477", 5, "\"top\" of 1 bins"),
        ("<ShapeSys Name=\"a\" HistoName=\"sig\" InputFile=\"gone.root\" />", "W477", 5, "gone.root"),
        ("<A></B>", "W475", 5, "expected 'A' tag"),
    ] {
        let entry = written("wrong", &channel(inside), MEASUREMENT);
        let output = morphist(&["xml2json", &entry]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{inside}: {told}");
        let place = format!("wrong_channel.xml:{line}:");
        assert!(
            told.contains(&place) && told.contains(rule) && told.contains(fragment) && output.stdout.is_empty(),
            "{inside}: {told}"
        );
    }
    for (from, to, fragment) in [
        ("<POI>mu</POI>", "", "without POI"),
        ("<POI>mu</POI>", "<POI>mu nu</POI>", "\"mu nu\""),
        ("Lumi=\"1\" ", "", "without Lumi"),
        ("</POI>", "</POI><ParamSetting Const=\"True\">gamma_stat_c_bin_0</ParamSetting>", "gamma_stat_c_bin_0"),
        ("</POI>", "</POI><ParamSetting Val=\"x\">mu</ParamSetting>", "\"x\""),
        (MEASUREMENT, "", "without measurements"),
        (MEASUREMENT, "<Input>no_such.xml</Input>", "no_such.xml"),
    ] {
        let entry = written("wrong_top", &channel(""), &MEASUREMENT.replace(from, to));
        let output = morphist(&["xml2json", &entry]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(fragment), "{to}: {}", stderr(&output));
    }
    let told = stderr(&morphist(&["xml2json", &format!("{FOLDER}/config/signal.xml")]));
    assert!(told.contains("found \"Channel\", expected Combination"), "{told}");
}

/// Nothing outside of the files is read, and texts do not grow without end.
#[test]
fn entities_are_harmless() {
    let secret = scratch("secret.txt", "a secret");
    let outside = format!(
        "<!DOCTYPE Combination [<!ENTITY e SYSTEM \"file://{}\">]><Combination>&e;</Combination>",
        secret.display()
    );
    let mut laughs = "<!DOCTYPE Combination [<!ENTITY a0 \"ha\">".to_owned();
    for i in 1..40 {
        laughs.push_str(&format!("<!ENTITY a{i} \"&a{0};&a{0};&a{0};&a{0};\">", i - 1));
    }
    laughs.push_str("]><Combination><Input>&a39;</Input></Combination>");
    let itself = "<!DOCTYPE Combination [<!ENTITY a \"&b;\"><!ENTITY b \"&a;\">]><Combination>&a;</Combination>";
    for text in [outside.as_str(), &laughs, itself] {
        let entry = scratch("entities.xml", text);
        let output = morphist(&["xml2json", entry.to_str().unwrap()]);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(!told.contains("a secret") && told.len() < 2000, "{told}");
    }
}

/// Writes a workspace as XML in a folder of its own; the combination.
fn exported(workspace: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let out = folder.display().to_string();
    let output = morphist(&[&["json2xml", workspace.to_str().unwrap(), "--output-dir", &out], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
    folder.join("FitConfig.xml")
}

/// What was read from XML is written and read again as it was.
#[test]
fn export_is_the_inverse_of_import() {
    let entry = exported(&Path::new(FOLDER).join("expected.json"), "xml_again", &[]);
    assert_eq!(json_of(&["xml2json", entry.to_str().unwrap()], 0), expected());
}

/// Published workspaces keep their likelihood: yields, data and −2 ln L.
#[test]
fn published_workspaces_go_through_xml() {
    let Some(root) = common::corpus("published_workspaces_go_through_xml") else { return };
    for name in ["w1_2bin", "w4_sbottomA", "w6_stau04"] {
        let workspace = root.join(format!("reference/workspaces/{name}.json"));
        let entry = exported(&workspace, &format!("xml_{name}"), &[]);
        let again = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}_again.json"));
        let output = morphist(&["xml2json", entry.to_str().unwrap(), "--output-file", again.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
        let value = |path: &Path| json_of(&["evaluate", path.to_str().unwrap()], 0);
        let (before, after) = (value(&workspace), value(&again));
        let (a, b) = (before["twice_nll"].as_f64().unwrap(), after["twice_nll"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-9 * a.abs(), "{name}: {a} and {b}");
        assert_eq!(before["expected_data"]["main"], after["expected_data"]["main"], "{name}");
    }
}

#[test]
fn what_xml_cannot_say_is_refused() {
    let plain = expected();
    let change = |pointer: &str, value: Value| {
        let mut changed = plain.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let lumi = plain.pointer("/measurements/0/config/parameters/0").unwrap();
    let settings = |config: Value| change("/measurements/0/config/parameters", json!([lumi, config]));
    for (workspace, fragment) in [
        (settings(json!({"name": "jes", "bounds": [[-3, 3]]})), "another range of \"jes\""),
        (settings(json!({"name": "jes", "auxdata": [0.5]})), "another auxdata of \"jes\""),
        (settings(json!({"name": "free", "fixed": true})), "settings of \"free\""),
        (change("/measurements/0/config/parameters/0/bounds", json!([[0, 2]])), "range of the luminosity"),
        (change("/channels/0/samples/2/data", json!([7.0, 0.0, 1.0])), "1 bins without yields"),
    ] {
        let file = scratch("no_xml.json", &workspace.to_string());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_xml");
        let arguments = ["json2xml", file.to_str().unwrap(), "--output-dir", folder.to_str().unwrap()];
        let output = morphist(&arguments);
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("W460") && told.contains(fragment) && told.contains("at   /"), "{told}");
        assert!(!folder.exists());
    }
}

/// Files with bytes changed are read or refused.
#[test]
fn damaged_files_do_no_harm() {
    let mut random = common::Random(5);
    let options = XmlOptions {
        basedir: FOLDER.into(),
        mounts: vec![Mount { host: format!("{FOLDER}/config").into(), mount: "/data/there".into() }],
    };
    let mut read = 0;
    for _ in 0..600 {
        let mut open = |path: &Path| {
            let mut bytes = std::fs::read(path).map_err(|e| e.to_string())?;
            if path.extension().is_some_and(|x| x == "xml") && random.uniform() < 0.5 {
                let at = (random.uniform() * bytes.len() as f64) as usize;
                bytes[at] = b"<>\"&;/ 0x-\xff"[(random.uniform() * 11.0) as usize];
            }
            Ok(bytes)
        };
        let entry = Path::new(FOLDER).join("config/top.xml");
        read += usize::from(histfactory_xml::read(&entry, &options, &mut open).is_ok());
    }
    assert!(read > 50, "{read}");
}
