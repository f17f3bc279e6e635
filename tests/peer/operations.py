#!/usr/bin/env python3
"""Digests, sorted, pruned and renamed workspaces, and patchsets, as pyhf 0.7.6 has them: the numbers of
`tests/workspace/published_operations.rs`. `--record` writes `tests/workspace/operations.json`; without it the file is compared with pyhf.

Every published workspace that pyhf reads gets its digests, the digest of its sorted form, and two prunings and two
renamings drawn by its name. A document is recorded by its sha256 digest, which tells apart everything but the order of
keys; a refusal by pyhf's message. `sound` says that pyhf builds a model of the result.
"""

import argparse
import json
import random
import sys
import zlib
from pathlib import Path

import pyhf

import corpus
import peer_pyhf

FILE = corpus.CRATE / "tests/workspace/operations.json"
ALGORITHMS = ["blake2b", "blake2s", "md5", "sha1", "sha224", "sha256", "sha384"]
ALGORITHMS += ["sha3_224", "sha3_256", "sha3_384", "sha3_512", "sha512"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help=f"write {FILE.name}")
    parser.add_argument("--morphist", help="not used")
    options = parser.parse_args()
    peer_pyhf.require_version()
    recorded = {"pyhf": pyhf.__version__, "workspaces": workspaces(), "patchsets": patchsets(), "build": builds_of_fixtures()}
    # One line for each file.
    lines = [f"{json.dumps(key)}: " + lines_of(part) for key, part in recorded.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if options.record:
        FILE.write_text(text)
    same = FILE.read_text() == text
    print(f"{len(recorded['workspaces'])} workspaces, {len(recorded['patchsets'])} patchsets: {'as' if same else 'NOT as'} recorded")
    return 0 if same else 1


def lines_of(part):
    dump = lambda value: json.dumps(value, sort_keys=True)
    if isinstance(part, dict):
        return "{\n" + ",\n".join(f" {dump(key)}: {dump(value)}" for key, value in part.items()) + "\n}"
    return "[\n" + ",\n".join(f" {dump(value)}" for value in part) + "\n]" if isinstance(part, list) else dump(part)


def workspaces():
    index = json.loads((corpus.CORPUS / "corpus/pyhf/INDEX.json").read_text())
    found = {}
    for item in index:
        if item["kind"] != "workspace":
            continue
        spec = json.loads((corpus.CORPUS / "corpus/pyhf" / item["file"]).read_text())
        try:
            workspace = pyhf.Workspace(spec)
        except Exception:
            continue
        draw = random.Random(zlib.crc32(item["file"].encode()))
        algorithms = ALGORITHMS if item["size"] < 3000 else ["md5", "sha256"]
        found[item["file"]] = {
            "digests": {name: pyhf.utils.digest(workspace, algorithm=name) for name in algorithms},
            "sorted": pyhf.utils.digest(pyhf.Workspace.sorted(workspace)),
            "prune": [prune(workspace, draw) for _ in range(2)],
            "rename": [rename(workspace, draw) for _ in range(2)],
        }
    return found


def parts(workspace):
    names = sorted({name for name, _ in workspace.modifiers})
    return {"channels": workspace.channels, "samples": workspace.samples, "modifiers": names,
            "measurements": workspace.measurement_names}


def prune(workspace, draw):
    options = {}
    for key, names in parts(workspace).items():
        if draw.random() < 0.4 and (len(names) > 1 or key == "modifiers") and names:
            options[key] = sorted(draw.sample(names, draw.randint(1, max(1, len(names) // 3))))
        if draw.random() < 0.04:
            options[key] = options.get(key, []) + ["nowhere"]
    if draw.random() < 0.3 or not options:
        types = sorted({kind for _, kind in workspace.modifiers})
        options["modifier_types"] = draw.sample(types, 1) if types else ["lumi"]
    return outcome(options, lambda: workspace.prune(**options))


def rename(workspace, draw):
    options = {}
    for key, names in parts(workspace).items():
        names = [name for name in names if name != "lumi"]
        if draw.random() < 0.6 and names:
            chosen = draw.sample(names, draw.randint(1, min(3, len(names))))
            options[key] = {name: f"{name}_new" for name in chosen}
            if len(chosen) > 1 and draw.random() < 0.3:
                # Names change places.
                options[key] = dict(zip(chosen, chosen[1:] + chosen[:1]))
        if draw.random() < 0.04:
            options[key] = {**options.get(key, {}), "nowhere": "x"}
    return outcome(options, lambda: workspace.rename(**options))


def outcome(options, operate):
    try:
        result = operate()
    except pyhf.exceptions.InvalidWorkspaceOperation as problem:
        return {"options": options, "error": str(problem)}
    except pyhf.exceptions.InvalidSpecification:
        return {"options": options, "error": "InvalidSpecification"}
    return {"options": options, "digest": pyhf.utils.digest(result), "sound": builds(result)}


def builds(workspace):
    """A model of every measurement, without the POI where there is none left; data of the length that the model has."""
    for index, measurement in enumerate(workspace["measurements"]):
        known = {name for name, _ in workspace.modifiers}
        poi = {} if measurement["config"]["poi"] in known else {"poi_name": None}
        try:
            model = workspace.model(measurement_index=index, **poi)
            workspace.data(model)
        except Exception:
            return False
    return True


def builds_of_fixtures():
    """`Workspace.build` of the fixtures' channels and configurations, with their data, where pyhf can."""
    found = []
    for entry in corpus.fixtures(corpus.CRATE / "fixtures"):
        document = json.loads(entry.path.read_text())
        config = document["measurements"][0]["config"]
        spec = {"channels": document["channels"], "parameters": config["parameters"]}
        try:
            model = pyhf.Model(spec, poi_name="mu")
            data = pyhf.Workspace(document).data(model)
            built = pyhf.Workspace.build(model, [float(x) for x in data], name="m", validate=False)
        except Exception as problem:
            print(f"{entry.name}: {type(problem).__name__}: {problem}"[:160])
            continue
        found.append({"spec": spec, "data": data, "built": json.loads(json.dumps(built))})
    return found


def patchsets():
    index = json.loads((corpus.CORPUS / "corpus/pyhf/INDEX.json").read_text())
    found = {}
    for item in index:
        if item["kind"] != "patchset":
            continue
        folder = corpus.CORPUS / "corpus/pyhf"
        patchset = pyhf.PatchSet(json.loads((folder / item["file"]).read_text()))
        first = patchset.patches[0]
        entry = {
            "names": [patch.name for patch in patchset],
            "patch": pyhf.utils.digest(first.patch),
            "metadata": pyhf.utils.digest({**first.metadata, **patchset.metadata}),
            "workspaces": {},
        }
        beside = [other["file"] for other in index if other["kind"] == "workspace"]
        for name in [name for name in beside if Path(name).parent == Path(item["file"]).parent]:
            try:
                workspace = pyhf.Workspace(json.loads((folder / name).read_text()))
            except Exception:
                continue
            entry["workspaces"][name] = applied(patchset, workspace, first.name)
        found[item["file"]] = entry
    return found


def applied(patchset, workspace, name):
    try:
        return {"digest": pyhf.utils.digest(patchset.apply(workspace, name))}
    except pyhf.exceptions.PatchSetVerificationError as problem:
        return {"error": str(problem)}


if __name__ == "__main__":
    sys.exit(main())
