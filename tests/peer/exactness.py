#!/usr/bin/env python3
"""Compares morphist with pyhf's numpy backend on every corpus workspace that pyhf accepts and on the fixtures: names,
order, start, bounds, fixed flags, auxiliary data, and at the suggested start and two seeded random points twice_nll and
expected data; on the reference workspaces at the recorded points, with both pairs of interpolation codes.

A difference may be max(1e-12 |f|, 4e-16 x the sum of the sizes of the terms that are added up)."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor

import corpus
import exactness_pyhf
import morphist
from store import Store
from table import text

RELATIVE = 1e-12
OF_TERMS = 4e-16


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB", help="comma-separated globs of names (default all)")
    parser.add_argument("--fixtures", default=corpus.CRATE / "fixtures", type=corpus.Path, help="folder of fixtures")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    parser.add_argument("--cache", default=corpus.CACHE, type=corpus.Path, help="folder of pyhf's stored numbers")
    parser.add_argument("--worst", type=int, default=12, help="rows in the table of worst cases")
    return parser.parse_args()


def main():
    options = arguments()
    entries = corpus.workspaces(options.files) + corpus.fixtures(options.fixtures, options.files)
    plans = [
        (entries, Store(options.cache / "exactness.json", exactness_pyhf.RECIPE), corpus_checks),
        (
            corpus.references(options.files),
            Store(options.cache / "exactness-references.json", exactness_pyhf.REFERENCE_RECIPE),
            reference_checks,
        ),
    ]
    checks, files = [], 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for entries, store, work in plans:
            waiting = [(entry, pool.submit(work, options.morphist, entry, store.get(entry))) for entry in entries]
            for entry, future in waiting:
                numbers, found = future.result()
                if store.get(entry) is None:
                    store.put(entry, numbers)
                checks += found
                files += 1
    if not files:
        raise SystemExit(f"no workspace fits {options.files!r}")
    return report(checks, files, options.worst)


def report(checks, files, rows):
    """Prints the worst numeric checks and every miss; gives the exit code."""
    checks.sort(key=lambda check: -check["of_allowed"])
    missed = [check for check in checks if not check["of_allowed"] <= 1]
    columns = ["of_allowed", "difference", "allowed", "peer", "check", "file"]
    print(text(columns, checks[: max(rows, min(len(missed), 200))]))
    print(f"{files} workspaces, {len(checks)} checks, {len(missed)} missed")
    return 1 if missed else 0


def corpus_checks(program, entry, numbers):
    """pyhf's numbers of a workspace (computed where not given), and the comparison with them."""
    numbers = numbers or exactness_pyhf.corpus_numbers(entry)
    checks = _compare(program, entry, numbers)
    if "twice_nll_init" in entry.stats:
        first, recorded = numbers["points"][0], entry.stats["twice_nll_init"]
        checks.append(_check("pyhf against the recorded twice_nll_init", entry, first["twice_nll"], recorded, first["scale"]))
    if sum(point["label"] != "init" for point in numbers["points"]) < 2:
        checks.append(_miss(entry, "random points", "none in the domain was found"))
    return numbers, checks


def reference_checks(program, entry, numbers):
    """The same for a reference workspace and its recorded points; its recorded configuration must be pyhf's."""
    numbers = numbers or exactness_pyhf.reference_numbers(entry)
    checks = _compare(program, entry, numbers)
    for key, recorded in (("par_names", "par_names"), ("suggested_init", "init"), ("auxdata", "auxdata")):
        if numbers["config"][key] != entry.stats[recorded]:
            checks.append(_miss(entry, f"recorded {recorded}", "pyhf gives something else"))
    return numbers, checks


def _compare(program, entry, numbers):
    checks = []
    try:
        checks += _config_checks(entry, morphist.inspect_model(program, entry.path), numbers["config"])
    except (morphist.Failed, KeyError, TypeError) as problem:
        checks.append(_miss(entry, "inspect --model", repr(problem)))
    for point in numbers["points"]:
        flags = ["--interpolation", point["interpolation"]] if point.get("interpolation") else []
        try:
            answer = morphist.evaluate(program, entry.path, point["parameters"], *flags)
            checks += _point_checks(entry, answer, point)
        except (morphist.Failed, KeyError, TypeError) as problem:
            checks.append(_miss(entry, f"evaluate at {point['label']}", repr(problem)))
    return checks


def _config_checks(entry, ours, peer):
    """Everything equal to the last digit, auxiliary data by the criterion."""
    checks = []
    for key in ("par_names", "auxdata_order", "suggested_init", "suggested_bounds", "suggested_fixed", "poi"):
        if ours[key] == peer[key]:
            checks.append(_check(key, entry, 0.0, 0.0, 0.0))
        else:
            checks.append(_miss(entry, key, _first_difference(ours[key], peer[key])))
    return checks + _series("auxdata", entry, ours["auxdata"], peer["auxdata"])


def _point_checks(entry, ours, peer):
    at = f"at {peer['label']}"
    checks = [_check(f"twice_nll {at}", entry, ours["twice_nll"], peer["twice_nll"], peer["scale"])]
    expected = ours["expected_data"]
    checks += _series(f"expected auxdata {at}", entry, expected["auxdata"], peer["expected_auxdata"])
    if list(expected["main"]) != list(peer["expected_main"]):
        checks.append(_miss(entry, f"channels {at}", _first_difference(list(expected["main"]), list(peer["expected_main"]))))
    for name, rates in peer["expected_main"].items():
        scales = peer["scale_main"][name]
        checks += _series(f"expected main[{name}] {at}", entry, expected["main"].get(name, []), rates, scales)
    return checks


def _series(what, entry, ours, peer, scales=None):
    """The worst of a list of numbers."""
    if len(ours) != len(peer):
        return [_miss(entry, what, f"{len(ours)} values, pyhf has {len(peer)}")]
    scales = scales or [0.0] * len(peer)
    checks = [_check(f"{what}[{i}]", entry, a, b, s) for i, (a, b, s) in enumerate(zip(ours, peer, scales))]
    return [max(checks, key=lambda check: check["of_allowed"])] if checks else []


def _check(what, entry, ours, peer, scale):
    if ours is None or ours != ours or peer != peer:
        return _miss(entry, what, f"{ours}, pyhf has {peer}")
    difference, allowed = abs(ours - peer), max(RELATIVE * abs(peer), OF_TERMS * scale)
    of_allowed = 0.0 if difference == 0 else difference / allowed if allowed > 0 else float("inf")
    return dict(file=entry.name, check=what, peer=peer, difference=difference, allowed=allowed, of_allowed=of_allowed)


def _miss(entry, what, reason):
    return dict(file=entry.name, check=f"{what}: {reason}", peer=None, difference=None, allowed=None, of_allowed=float("inf"))


def _first_difference(ours, peer):
    if not (isinstance(ours, list) and isinstance(peer, list)):
        return f"{ours!r}, pyhf has {peer!r}"
    if len(ours) != len(peer):
        return f"{len(ours)} values, pyhf has {len(peer)}"
    where = next(i for i, (a, b) in enumerate(zip(ours, peer)) if a != b)
    return f"[{where}] is {ours[where]!r}, pyhf has {peer[where]!r}"


if __name__ == "__main__":
    exactness_pyhf.peer_pyhf.require_version()
    sys.exit(main())
