//! Pictures: SVG that other programs read, texts that never overlap however hard the input, gaps that are told, the
//! same bytes each time.

use crate::common;

use common::program::morphist;
use morphist::plot::{
    Figure, Options, brazil, correlation, data_mc, exclusion, nll_scan, png, pulls, ranking, responses, validity,
    variation,
};
use serde_json::{Value, json};

/// Names as documents may hold them.
fn hard_name(i: usize) -> String {
    match i % 6 {
        0 => format!("alpha_{i}"),
        1 => format!("EL_EFF_ID_TOTAL_1NPCOR_PLUS_UNCOR_{}_{i}", "very_long_".repeat(20)),
        2 => format!("<a href=\"x\"> & 'é' µ {i}"),
        3 => format!("Ωmega\u{301} 漢字 🦀 \u{202e}{i}"),
        4 => format!("line\nbreak\u{0}\u{1b}[31m\u{fffe} {i}"),
        _ => String::new(),
    }
}

/// Numbers from harmless to absurd, null among them.
fn hard_number(i: usize) -> Value {
    [
        json!(0.0),
        json!(1.0),
        json!(-0.7),
        json!(1e300),
        json!(-1e300),
        json!(5e-324),
        Value::Null,
        json!(3.3),
        json!(1e-9),
    ][i % 9]
        .clone()
}

fn tame(i: usize) -> f64 {
    ((i * 37 + 11) % 97) as f64 / 97.0 - 0.5
}

/// Parses, stays inside of its page, no text on another one.
fn check(figure: &Figure, what: &str) {
    let document = roxmltree::Document::parse(&figure.svg).unwrap_or_else(|e| panic!("{what}: {e}"));
    let root = document.root_element();
    let side = |name: &str| root.attribute(name).and_then(|v| v.parse::<f64>().ok()).expect("a size");
    let (width, height) = (side("width"), side("height"));
    let labels = document.descendants().filter(|n| n.attribute("aria-label").is_some()).count();
    assert_eq!(labels, figure.written.len(), "{what}");
    assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf\""), "{what}");
    for (i, a) in figure.written.iter().enumerate() {
        let r = a.area;
        let inside = r.left >= 0.0 && r.top >= 0.0 && r.right <= width && r.bottom <= height;
        assert!(inside, "{what}: {:?} at {r:?} leaves the page {width} × {height}", a.text);
        for b in &figure.written[i + 1..] {
            let s = b.area;
            let apart = r.right <= s.left || s.right <= r.left || r.bottom <= s.top || s.bottom <= r.top;
            assert!(apart, "{what}: {:?} at {r:?} overlaps {:?} at {s:?}", a.text, b.text);
        }
    }
}

fn options() -> [Options; 4] {
    let plain = Options::default();
    let long = "A title that is far too long for any picture ".repeat(10);
    let titles = Options {
        title: Some(long.clone()),
        x_label: Some(long.clone()),
        y_label: Some(long),
        max_pars: Some(7),
        ..Options::default()
    };
    let small = Options { size: Some((300.0, 300.0)), title: Some("<&\">".to_owned()), ..Options::default() };
    let log = Options { log: true, ..Options::default() };
    [plain, titles, small, log]
}

/// Draws with all options; the same bytes twice. Returns the figure with plain options.
fn drawn(what: &str, draw: impl Fn(&Options) -> Result<Figure, String>) -> Figure {
    for (i, options) in options().iter().enumerate() {
        let figure = draw(options).unwrap_or_else(|e| panic!("{what}: {e}"));
        check(&figure, &format!("{what} with options {i}"));
        assert_eq!(figure.svg, draw(options).expect("drawn before").svg, "{what}");
    }
    draw(&Options::default()).expect("drawn before")
}

fn fit(n: usize, number: impl Fn(usize) -> Value) -> Value {
    let names: Vec<String> = (0..n).map(hard_name).collect();
    let pulls: Vec<Value> =
        (0..n).map(|i| json!({"name": names[i], "pull": number(i), "constraint": number(i + 3)})).collect();
    let row = |i: usize| -> Vec<Value> { (0..n).map(|j| if i == j { json!(1.0) } else { number(i * j) }).collect() };
    let values: Vec<Vec<Value>> = (0..n).map(row).collect();
    json!({"valid": true, "pulls": pulls, "correlation": {"labels": names, "values": values}})
}

#[test]
fn pulls_and_correlations() {
    for (n, hard) in [(1, false), (2, true), (23, false), (60, true), (200, false), (333, true)] {
        let fit = fit(n, |i| if hard { hard_number(i) } else { json!(tame(i)) });
        let read: pulls::Pulls = serde_json::from_value(fit.clone()).expect("a fit");
        let figure = drawn(&format!("{n} pulls"), |o| pulls::draw(&read, o));
        assert_eq!(
            hard && n > 10,
            figure.notes.iter().any(|note| note.contains("no pull") || note.contains("no uncertainty"))
        );
        let read: correlation::Correlation = serde_json::from_value(fit).expect("a fit");
        drawn(&format!("{n} correlations"), |o| correlation::draw(&read, o));
    }
}

#[test]
fn correlations_below_the_threshold_are_left_out() {
    let mut fit = fit(5, |_| json!(0.01));
    fit["correlation"]["values"][1][3] = json!(-0.4);
    fit["correlation"]["values"][3][1] = json!(-0.4);
    let read: correlation::Correlation = serde_json::from_value(fit).expect("a fit");
    let options = Options { threshold: Some(0.3), ..Options::default() };
    let figure = correlation::draw(&read, &options).expect("two parameters");
    let count = |text: &str| figure.written.iter().filter(|w| w.text == text).count();
    assert_eq!((count("100"), count("−40")), (2, 2));
    assert!(figure.notes.iter().any(|note| note.contains("2 of 5 parameters")), "{:?}", figure.notes);
    assert!(correlation::draw(&read, &Options { threshold: Some(0.9), ..options }).is_err());
}

fn limit(points: usize, number: impl Fn(usize) -> Value) -> brazil::Limit {
    let scan: Vec<Value> = (0..points)
        .map(|i| json!({"poi": i as f64 * 0.25, "CLs_obs": number(i), "CLs_exp": (0..5).map(|k| number(i + k)).collect::<Vec<_>>()}))
        .collect();
    let limit = json!({"observed_limit": number(0), "expected_limit": [0.5, 0.7, 1.0, 1.4, 1.9],
        "confidence_level": 0.95, "poi": hard_name(2), "scan": scan});
    serde_json::from_value(limit).expect("a limit")
}

#[test]
fn brazil_bands() {
    for points in [1, 2, 21, 300] {
        let good = limit(points, |i| json!((-(i as f64) / 5.0).exp()));
        let notes = drawn("a band", |o| brazil::draw(&good, o)).notes;
        assert_eq!(notes.iter().any(|note| note.contains("limit --scan LO,HI,N")), points == 2, "{notes:?}");
        assert_eq!(notes.is_empty(), points != 2, "{notes:?}");
    }
    let bad = limit(20, |i| if i == 4 { Value::Null } else { json!(0.5) });
    let figure = drawn("a band with gaps", |o| brazil::draw(&bad, o));
    assert!(figure.notes.iter().any(|note| note.starts_with("1 of 20 scan points have no observed CLs")));
    assert_eq!(figure.svg.matches("<circle").count(), 20, "19 points and one in the legend");
    drawn("absurd CLs", |o| brazil::draw(&limit(20, hard_number), o));
    drawn("no CLs", |o| brazil::draw(&limit(3, |_| Value::Null), o));
    assert!(brazil::draw(&limit(0, hard_number), &Options::default()).is_err());
}

fn impacts(n: usize, number: impl Fn(usize) -> Value) -> ranking::Ranking {
    let parameters: Vec<Value> = (0..n)
        .map(|i| {
            json!({"name": hard_name(i), "pull": number(i), "constraint": number(i + 1),
            "prefit": [number(i + 2), number(i + 3)], "postfit": [number(i + 4), number(i + 5)]})
        })
        .collect();
    serde_json::from_value(json!({"poi": "µ<sig>", "parameters": parameters, "valid": false})).expect("a ranking")
}

#[test]
fn rankings() {
    for n in [1, 15, 130] {
        drawn("a ranking", |o| ranking::draw(&impacts(n, |i| json!(tame(i))), o));
        drawn("a hard ranking", |o| ranking::draw(&impacts(n, hard_number), o));
    }
    let figure = drawn("a ranking of nothing", |o| ranking::draw(&impacts(3, |_| json!(0.0)), o));
    assert!(figure.notes.iter().any(|note| note.contains("not valid")));
    assert!(ranking::draw(&impacts(0, hard_number), &Options::default()).is_err());
}

fn yields(channels: usize, bins: usize, samples: usize, number: impl Fn(usize) -> Value) -> data_mc::Yields {
    let list = |seed: usize| -> Vec<Value> { (0..bins).map(|i| number(i + seed)).collect() };
    let sample = |s: usize| json!({"name": hard_name(s), "yields": list(s), "uncertainties": list(s)});
    let channel = |c: usize| {
        json!({"name": hard_name(c), "bins": bins, "data": list(c + 1), "total": list(c + 2), "total_uncertainties": list(c + 3),
            "samples": (0..samples).map(sample).collect::<Vec<_>>()})
    };
    let channels: Vec<Value> = (0..channels).map(channel).collect();
    serde_json::from_value(json!({"channels": channels, "prefit": false, "valid": true})).expect("yields")
}

#[test]
fn data_and_stacks() {
    for (channels, bins, samples) in [(1, 1, 1), (1, 40, 12), (3, 5, 30), (11, 2, 3), (1, 1000, 2)] {
        drawn("yields", |o| data_mc::draw(&yields(channels, bins, samples, |i| json!(10.0 + (i % 7) as f64)), o));
        drawn("hard yields", |o| data_mc::draw(&yields(channels, bins, samples, hard_number), o));
        drawn("nothing", |o| data_mc::draw(&yields(channels, bins, samples, |_| json!(0.0)), o));
        drawn("large yields", |o| data_mc::draw(&yields(channels, bins, samples, |i| json!(1e7 + i as f64)), o));
    }
    let negative = yields(1, 3, 2, |i| json!(i as f64 - 1.0));
    let notes = data_mc::draw(&negative, &Options::default()).expect("a picture").notes;
    assert!(notes.iter().any(|note| note.contains("1 sample yields are negative")), "{notes:?}");
    let mut short = yields(1, 3, 1, |_| json!(1.0));
    short.channels[0].total.pop();
    assert!(data_mc::draw(&short, &Options::default()).is_err());
}

/// Bars begin where the sample below ends: the height of the stack is the sum of the yields.
#[test]
fn the_stack_reaches_the_total() {
    let document = json!({"channels": [{"name": "SR", "data": [9.0], "total": [10.0], "total_uncertainties": [1.0],
        "samples": [{"name": "a", "yields": [4.0]}, {"name": "b", "yields": [6.0]}]}]});
    let yields: data_mc::Yields = serde_json::from_value(document).expect("yields");
    let svg = data_mc::draw(&yields, &Options::default()).expect("a picture").svg;
    let corners = |colour: &str| -> Vec<f64> {
        let line =
            svg.lines().find(|l| l.starts_with("<path") && l.contains(&format!("fill=\"{colour}\""))).expect("a bar");
        let path = line.split('"').nth(1).expect("a path").trim_end_matches('Z');
        path.split(['M', 'L'])
            .filter(|p| !p.is_empty())
            .map(|p| p.split(' ').nth(1).unwrap().parse().unwrap())
            .collect()
    };
    let (a, b) = (corners("#3f90da"), corners("#ffa90e"));
    assert_eq!(a[2], b[0], "b stands on a");
    assert!(((b[0] - b[2]) / (a[0] - a[2]) - 1.5).abs() < 1e-3, "{a:?} {b:?}");
}

#[test]
fn scans() {
    let curve = |n: usize, height: &dyn Fn(usize) -> Value| -> nll_scan::Scan {
        let point =
            |i: usize| json!({"value": i as f64 / 4.0 - 1.0, "delta_twice_nll": height(i), "valid": i % 7 != 3});
        let points: Vec<Value> = (0..n).map(point).collect();
        serde_json::from_value(json!({"parameter": hard_name(2), "best": {"value": 0.1}, "points": points}))
            .expect("a scan")
    };
    for n in [1, 2, 11, 200] {
        drawn("a curve", |o| nll_scan::draw(&curve(n, &|i| json!((i as f64 - 5.0).powi(2))), o));
        drawn("a flat curve", |o| nll_scan::draw(&curve(n, &|_| json!(0.0)), o));
        drawn("a hard curve", |o| nll_scan::draw(&curve(n, &hard_number), o));
    }
    let plane = |height: &dyn Fn(f64, f64) -> Value| -> nll_scan::Scan {
        let places = (0..15).flat_map(|i| (0..15).map(move |j| (i as f64 / 7.0 - 1.0, j as f64 / 7.0 - 1.0)));
        let points: Vec<Value> =
            places.map(|(x, y)| json!({"values": [x, y], "delta_twice_nll": height(x, y), "valid": true})).collect();
        serde_json::from_value(
            json!({"parameters": [hard_name(1), hard_name(3)], "best": {"values": [0.0, 0.0]}, "points": points}),
        )
        .expect("a scan")
    };
    drawn("a plane", |o| nll_scan::draw(&plane(&|x, y| json!(8.0 * (x * x + y * y))), o));
    drawn("a steep plane", |o| nll_scan::draw(&plane(&|x, y| json!(1e200 * (x * x + y * y))), o));
    let holes = |x: f64, y: f64| if x.abs() < 0.1 { Value::Null } else { json!(8.0 * (x * x + y * y)) };
    let figure = drawn("a plane with holes", |o| nll_scan::draw(&plane(&holes), o));
    assert!(figure.notes.iter().any(|note| note.contains("15 of 225 scan points are not valid")), "{:?}", figure.notes);
    assert!(nll_scan::draw(&plane(&|_, _| Value::Null), &Options::default()).is_err());
}

/// The dashed lines lie where a point of the same −2 Δln L lies, with the level's name beside.
#[test]
fn a_scan_shows_its_own_levels() {
    let draw = |levels: &[(f64, f64)]| {
        let intervals: Vec<Value> =
            levels.iter().map(|(level, delta)| json!({"level": level, "delta": delta, "intervals": []})).collect();
        let points: Vec<Value> = levels
            .iter()
            .enumerate()
            .map(|(i, (_, delta))| json!({"value": i, "delta_twice_nll": delta, "valid": true}))
            .collect();
        let scan = json!({"parameter": "mu", "best": {"value": 0.5}, "intervals": intervals, "points": points});
        let scan: nll_scan::Scan = serde_json::from_value(scan).expect("a scan");
        nll_scan::draw(&scan, &Options::default()).expect("a picture")
    };
    let labels = |figure: &Figure| -> Vec<(String, f64)> {
        let named = figure.written.iter().filter(|w| w.text.ends_with(" %"));
        named.map(|w| (w.text.clone(), f64::midpoint(w.area.top, w.area.bottom))).collect()
    };
    for (levels, names) in [
        (vec![(0.682_689, 1.0), (0.95, 3.84146)], vec!["68 %", "95 %"]),
        (vec![(0.9, 2.70554)], vec!["90 %"]),
        (vec![(0.95, 3.84146), (0.9973, 9.0)], vec!["95 %", "99.7 %"]),
    ] {
        let figure = draw(&levels);
        let labels = labels(&figure);
        assert_eq!(labels.iter().map(|l| l.0.as_str()).collect::<Vec<_>>(), names);
        let dashed = figure.svg.lines().filter(|l| l.starts_with("<path") && l.contains("dasharray=\"7 4\""));
        let lines: Vec<f64> = dashed
            .map(|l| l.split(['"', 'L', ' ', 'M']).filter_map(|v| v.parse().ok()).nth(1).expect("a place"))
            .collect();
        // The first circle is the legend's.
        let circles = figure.svg.lines().filter(|l| l.starts_with("<circle")).skip(1);
        let points: Vec<f64> = circles
            .map(|l| {
                l.split("cy=\"").nth(1).and_then(|v| v.split('"').next()).expect("a place").parse().expect("pixels")
            })
            .collect();
        assert_eq!(lines, points, "{names:?}");
        assert!(labels.iter().zip(&lines).all(|(label, line)| (label.1 - line).abs() < 2.0), "{labels:?} {lines:?}");
    }
}

#[test]
fn exclusions() {
    let patches = |n: usize, limit: &dyn Fn(f64, f64) -> Value| -> Vec<exclusion::Patch> {
        let patch = |i: usize| {
            let (x, y) = (200.0 + ((i * 61) % 101) as f64 * 11.0, (i * i % 89) as f64 * 13.0 + i as f64 * 0.1);
            let observed = limit(x, y);
            let expected: Vec<Value> = [0.5, 0.7, 1.0, 1.4, 2.0]
                .iter()
                .map(|k| observed.as_f64().map_or(Value::Null, |v| json!(v * k)))
                .collect();
            json!({"name": hard_name(i), "values": [x, y], "observed_limit": observed, "expected_limit": expected})
        };
        (0..n).map(|i| serde_json::from_value(patch(i)).expect("a point")).collect()
    };
    let mass = |x: f64, y: f64| json!((x / 700.0).powi(4) * (1.0 + y / 2000.0));
    let figure = drawn("a contour", |o| exclusion::draw(&patches(100, &mass), (0, 1), o));
    assert!(figure.notes.is_empty(), "{:?}", figure.notes);
    let missing = |x: f64, y: f64| if y > 800.0 { Value::Null } else { mass(x, y) };
    let figure = drawn("a contour without some", |o| exclusion::draw(&patches(100, &missing), (0, 1), o));
    assert!(figure.notes.iter().any(|note| note.contains("no observed result")));
    let figure = drawn("all excluded", |o| exclusion::draw(&patches(50, &|_, _| json!(0.01)), (0, 1), o));
    assert!(figure.notes.iter().any(|note| note.contains("crosses the threshold nowhere")));
    drawn("absurd limits", |o| {
        exclusion::draw(&patches(50, &|x, _| json!(if x > 700.0 { 1e300 } else { 5e-324 })), (0, 1), o)
    });
    for bad in [patches(2, &mass), patches(30, &|_, _| Value::Null)] {
        assert!(exclusion::draw(&bad, (0, 1), &Options::default()).is_err());
    }
    assert!(exclusion::draw(&patches(9, &mass), (0, 2), &Options::default()).is_err());
    let mut twice = patches(9, &mass);
    twice.push(twice[3].clone());
    assert!(exclusion::draw(&twice, (0, 1), &Options::default()).expect_err("one place").contains("one place"));
}

/// A limit of 1 and CLs = α name the same contour.
#[test]
fn the_contour_is_the_same_from_limits_and_from_cls() {
    let patches = |by_limit: bool| -> Vec<exclusion::Patch> {
        let places = (0..8).flat_map(|i| (0..8).map(move |j| (i as f64, j as f64)));
        let patch = |(x, y): (f64, f64)| {
            let strength = ((x + 0.5 * y - 5.2) / 2.0).exp();
            match by_limit {
                true => {
                    json!({"values": [x, y], "observed_limit": strength, "expected_limit": [strength, strength, strength, strength, strength]})
                }
                false => {
                    json!({"values": [x, y], "CLs_obs": 0.05 * strength, "CLs_exp": vec![0.05 * strength; 5], "confidence_level": 0.95})
                }
            }
        };
        places.map(|p| serde_json::from_value(patch(p)).expect("a point")).collect()
    };
    let line = |by_limit| {
        let figure = exclusion::draw(&patches(by_limit), (0, 1), &Options::default()).expect("a contour");
        let lines: Vec<String> =
            figure.svg.lines().filter(|l| l.contains("stroke=\"#d21e1e\"")).map(str::to_owned).collect();
        lines.last().cloned().expect("a red line")
    };
    assert_eq!(line(true), line(false));
}

#[test]
fn pixels_come_from_the_same_drawing() {
    let figure = brazil::draw(&limit(21, |i| json!((-(i as f64) / 5.0).exp())), &Options::default()).expect("a band");
    let first = png::render(&figure.svg, 1.0).expect("pixels");
    assert_eq!(first, png::render(&figure.svg, 1.0).expect("pixels"));
    let (width, height) =
        (u32::from_be_bytes(first[16..20].try_into().unwrap()), u32::from_be_bytes(first[20..24].try_into().unwrap()));
    assert_eq!((&first[1..4], width, height), (&b"PNG"[..], 720, 560));
    assert!(first.len() > 10_000, "an empty picture compresses to less: {}", first.len());
    assert!(png::render(&figure.svg, 1000.0).is_err());
    assert!(png::render("<svg", 1.0).is_err());
}

#[test]
fn a_fit_becomes_a_picture() {
    let folder = std::env::temp_dir().join(format!("morphist-plots-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name).to_str().expect("UTF-8").to_owned();
    let (result, svg, pixels) = (path("fit.json"), path("pulls.svg"), path("pulls.PNG"));
    assert!(morphist(&["fit", "fixtures/higgs_like/workspace.json", "--output-file", &result]).status.success());
    assert!(morphist(&["plot", "pulls", &result, "-o", &svg]).status.success());
    assert!(morphist(&["plot", "pulls", &result, "--output-file", &pixels]).status.success());
    let text = std::fs::read_to_string(&svg).expect("a picture");
    assert!(roxmltree::Document::parse(&text).is_ok() && text.contains("aria-label=\"pileup\""));
    assert!(std::fs::read(&pixels).expect("a picture").starts_with(b"\x89PNG"));

    let wrong = |arguments: &[&str], code: i32, message: &str| {
        let output = morphist(arguments);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(message), "{said}");
    };
    let truncated = path("truncated.json");
    let whole = std::fs::read(&result).expect("a result");
    std::fs::write(&truncated, &whole[..whole.len() / 2]).expect("written");
    wrong(&["plot", "pulls", &truncated, "-o", &svg], 1, "not JSON: EOF");
    wrong(&["plot", "ranking", &result, "-o", &svg], 1, "not a result of the command");
    wrong(&["plot", "pulls", "fixtures/counting/workspace.json", "-o", &svg], 1, "missing field `pulls`");
    wrong(&["plot", "pulls", &path("none.json"), "-o", &svg], 1, "cannot read");
    wrong(&["plot", "pulls", &result, "-o", &path("pulls.pdf")], 2, "write .svg or .png");
    wrong(&["plot", "pulls", &result, "--size", "10x10"], 2, "from 300 to 10000");
    assert_eq!(std::fs::read_to_string(&svg).expect("a picture"), text, "a failed plot leaves the old picture");
    std::fs::remove_dir_all(&folder).expect("cleaned");
}

#[test]
fn validity_shows_every_cut() {
    let result = |n: usize, number: fn(usize) -> Value| {
        let interval =
            |i: usize| json!({"lower": number(i), "upper": number(i + 3), "lower_open": null, "upper_open": null});
        let cut = |i: usize| {
            let cut = if i + 1 == n { Value::Null } else { json!(100.0 * (i + 1) as f64) };
            json!({"best": number(i + 1), "cut": cut, "intervals": [interval(i), interval(i + 1)], "valid": i % 5 != 4})
        };
        let cuts: Vec<Value> = (0..n).map(cut).collect();
        json!({"cuts": cuts, "level": 0.95, "observable": hard_name(n), "parameter": hard_name(n + 1), "unit": "GeV"})
    };
    for n in [1, 2, 7, 40] {
        for number in [hard_number as fn(usize) -> Value, |i| json!(tame(i))] {
            let read: validity::Validity = serde_json::from_value(result(n, number)).unwrap();
            drawn(&format!("validity of {n} cuts"), |options| validity::draw(&read, options));
        }
    }
    let none: validity::Validity = serde_json::from_value(result(0, hard_number)).unwrap();
    assert!(validity::draw(&none, &Options::default()).is_err());
}

/// Each of twenty lines has its entry, and a stroke of its own; of very many some have, and a note says so.
#[test]
fn lines_of_responses_are_named() {
    let report = |n: usize| {
        let yields: Vec<Value> = (0..n).map(|bin| json!([1.0 + bin as f64, 1.0, 2.0])).collect();
        let curves = json!({"channel": "SR", "coefficient": "c", "reference": vec![1.0; n], "sample": "s",
            "uncertainties": [], "values": [-1.0, 0.0, 1.0], "yields": yields});
        serde_json::from_value(json!({"Lambda_TeV": 1.0, "responses": [curves]})).unwrap()
    };
    let named = |figure: &Figure| -> Vec<String> {
        let texts = figure.written.iter().map(|label| label.text.clone());
        texts.filter(|text| text.starts_with("bin ")).collect()
    };
    for n in [1, 8, 20, 100] {
        let figure = drawn(&format!("responses of {n} bins"), |options| responses::draw(&report(n), options));
        if n <= 40 {
            assert_eq!(named(&figure), (0..n).map(|bin| format!("bin {bin}")).collect::<Vec<_>>());
            assert!(figure.notes.is_empty());
        } else {
            assert!(figure.notes[0].contains("34 of 100 bins are named"), "{:?}", figure.notes);
            assert_eq!(named(&figure).last().unwrap(), "bin 99");
        }
    }
}

#[test]
fn variations_of_hard_numbers_and_names() {
    for n in [1, 2, 5, 40] {
        for i in 0..9 {
            let value = |k: usize| hard_number(i + k).as_f64().unwrap_or(f64::NAN);
            let list = |first: usize| (first..first + n).map(value).collect::<Vec<f64>>();
            let shape = morphist::audit::Shape { nominal: list(0), up: list(1), down: list(i) };
            let curve = (0..21).map(|k| (k as f64 / 10.0 - 1.0, value(k / 3))).collect();
            let (bins, bin) = ((0..n).step_by(2).collect(), n / 2);
            let drawn = variation::Variation { title: hard_name(i), shape, bins, bin, curve };
            check(&variation::draw(&drawn), &format!("variation {n} {i}"));
        }
    }
}
