#!/usr/bin/env python3
"""Compares the minima that morphist finds with the lowest that pyhf (jax: SLSQP, iminuit) and a projected Newton method
from the suggested and three random starts find, and writes the table."""

import argparse
import json
import sys

import corpus
import minima_rivals
import morphist
from store import Store
from table import markdown

ALLOWED_ABOVE = 1e-6


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    morphist.add_arguments(parser)
    parser.add_argument("--files", default="*", metavar="GLOB", help="comma-separated globs of names (default all)")
    parser.add_argument("--no-references", action="store_true", help="leave the reference workspaces out")
    parser.add_argument("--cache", default=corpus.CACHE / "rival-minima.json", help="stored rival minima")
    parser.add_argument("--rivals-only", action="store_true", help="compute and store the rivals' minima, compare nothing")
    parser.add_argument("--write", default=corpus.CACHE, type=corpus.Path, help="folder of minima.md and minima.json")
    return parser.parse_args()


def main():
    options = arguments()
    store = Store(options.cache, minima_rivals.RECIPE)
    entries = [(entry, lambda entry: minima_rivals.lowest(entry, store)) for entry in corpus.workspaces(options.files)]
    if not options.no_references:
        entries += [(entry, minima_rivals.reference) for entry in corpus.references(options.files)]
    if not entries:
        raise SystemExit(f"no workspace fits {options.files!r}")
    rows = []
    for entry, rivals in entries:
        record = rivals(entry)
        if options.rivals_only:
            print(entry.name, record["twice_nll"], record.get("rival"), flush=True)
            continue
        rows.append(compare(entry, record, morphist.fit(options.morphist, entry.path)))
        print_row(rows[-1])
    if options.rivals_only:
        return 0
    return report(rows, options.write)


def compare(entry, record, answer):
    """One row of the table; `problem` says why the fit does not meet the criterion, None where it does."""
    row = {
        "file": entry.name,
        "lowest": record["twice_nll"],
        "rival": record.get("rival"),
        "outside_domain": record["outside"],
        "twice_nll": answer.get("twice_nll"),
        "above": None,
        "valid": answer.get("valid"),
        "reason": _code(answer.get("reason")),
        "at_limit": len(answer.get("at_limit") or []),
        "edm": answer.get("edm"),
        "problem": None,
    }
    reference = record.get("rival") == "recorded"
    if row["valid"] not in (True, False):
        row["problem"] = answer.get("error", "no answer")
    elif not row["valid"] and not row["reason"]:
        row["problem"] = "invalid without a reason"
    elif not row["valid"] and reference:
        row["problem"] = f"a reference must be valid, not {row['reason']}"
    elif row["twice_nll"] is None:
        row["problem"] = "no twice_nll"
    elif row["lowest"] is not None:
        row["above"] = row["twice_nll"] - row["lowest"]
        if not row["above"] <= ALLOWED_ABOVE:
            row["problem"] = f"{row['above']:.3g} above {row['rival']}"
    return row


def _code(reason):
    """The code of a reason, which is `{code, message}`."""
    return reason.get("code") if isinstance(reason, dict) else reason


def print_row(row):
    above = "no rival" if row["above"] is None else f"{row['above']:+.3e}"
    state = "valid" if row["valid"] else str(row["reason"])
    print(f"{'MISS' if row['problem'] else 'ok':4} {above:>10} {state:16} {row['file']} {row['problem'] or ''}", flush=True)


def report(rows, folder):
    """Writes the table, worst first, and gives the exit code."""
    rows.sort(key=lambda row: (row["problem"] is None, -(row["above"] if row["above"] is not None else -1e300)))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "minima.json").write_text(json.dumps(rows, indent=1))
    columns = ["file", "twice_nll", "lowest", "rival", "above", "outside_domain", "valid", "reason", "at_limit", "problem"]
    (folder / "minima.md").write_text(markdown(columns, rows))
    missed = sum(row["problem"] is not None for row in rows)
    invalid = sum(row["valid"] is False for row in rows)
    print(f"{len(rows)} fits, {missed} missed the criterion, {invalid} invalid; table in {folder / 'minima.md'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
