"""The corpus: which workspaces there are, which of them pyhf accepts, and the eight reference workspaces."""

import fnmatch
import hashlib
import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

CRATE = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("MORPHIST_CORPUS", CRATE.parent / "shared"))
CACHE = CRATE / "target" / "peer"


@dataclass(frozen=True)
class Entry:
    """One workspace: its name in tables, its path, what the index or the reference file says of it."""

    name: str
    path: Path
    digest: str
    stats: dict

    @property
    def seed(self):
        """Seed of the random points; depends on the name only, so that a selection never changes the points."""
        return zlib.crc32(self.name.encode())


def workspaces(pattern="*"):
    """Corpus workspaces that pyhf 0.7.6 validates and builds, cheapest for pyhf first."""
    index = json.loads((CORPUS / "corpus/pyhf/INDEX.json").read_text())
    entries = [
        Entry(item["file"], CORPUS / "corpus/pyhf" / item["file"], item["sha256"], item["stats"])
        for item in index
        if item["kind"] == "workspace" and item["stats"].get("valid") and item["stats"].get("built")
    ]
    entries.sort(key=lambda entry: (entry.stats["t_total"], entry.name))
    return [entry for entry in entries if matches(entry.name, pattern)]


def references(pattern="*"):
    """The reference workspaces, each with the recorded numbers of `reference/pyhf/KEY.json` in `stats`."""
    entries = []
    for path in sorted((CORPUS / "reference/pyhf").glob("*.json")):
        record = json.loads(path.read_text())
        workspace = CORPUS / "reference/workspaces" / path.name
        entries.append(Entry(path.stem, workspace, record["workspace_sha256"], record))
    return [entry for entry in entries if matches(entry.name, pattern)]


def fixtures(folder, pattern="*"):
    """The project's own fixtures, each a folder with a `workspace.json`; their names start with `fixture `."""
    found = []
    for path in sorted(folder.glob("*/workspace.json")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        # pyhf has no EFT extension: those fixtures have their numbers from fixtures/eft_expected.py.
        if "eft" in json.loads(path.read_bytes()):
            continue
        found.append(Entry(f"fixture {path.parent.name}", path, digest, {}))
    return [entry for entry in found if matches(entry.name, pattern)]


def matches(name, pattern):
    """True where one of the comma-separated globs fits the name or its last part."""
    return any(
        fnmatch.fnmatch(name, glob) or fnmatch.fnmatch(Path(name).name, glob) for glob in pattern.split(",")
    )
