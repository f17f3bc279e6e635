"""Cases of validation for rules that no other case breaks, and which rules no case can break, with where they are tested."""
import json
import re

import rule_documents
from rule_documents import RULES, TOP

SOURCE = "spec/validation.md, rule {}: the document breaks it by one change of a sound one (conformance/rule_documents.py)"

# Rules that no case breaks: why, and where a test does.
FILES, IMPORTS = "needs files: event databases, tables of events", "needs files: foreign descriptions of responses"
COMMANDS, WARNINGS = "told by a command that is no operation here", "a warning about a result, which an operation does not tell"
ELSEWHERE = {
    "what is read is no text, no file, or too large for a line of JSON": {"tests/histfactory/read.rs": ["W002"], "tests/cli/commands.rs": ["W007", "W008"]},
    "a document of 300 kB": {"tests/eft/validate.rs": ["W225"]},
    "how far a program can decide is its own affair": {"tests/eft/validate.rs": ["W224"]},
    FILES: {
        "tests/events/database_errors.rs": ["W267", "W268", "W272", "W273", "W276"],
        "tests/events/database.rs": ["W275", "W277"],
        "tests/events/validate.rs": ["W280"],
        "tests/events/unbinned_forms.rs": ["W349"],
    },
    IMPORTS: {"tests/importers/attaching.rs": ["W290", "W292", "W293"], "tests/importers/combine_scaling.rs": ["W291"]},
    COMMANDS: {
        "tests/workspace/datacards.rs": ["W470", "W471", "W472", "W473"],
        "tests/workspace/histfactory_xml.rs": ["W475", "W476", "W477", "W478"],
        "tests/histfactory/validate.rs": ["W125"],
        "tests/workspace/combine_schemes.rs": ["W309", "W318", "W319"],
        "tests/workspace/operations.rs": ["W374", "W375"],
        "tests/hs3/convert.rs": ["W460", "W461", "W462", "W463", "W465"],
        "tests/hs3/convert_targets.rs": ["W464"],
    },
    WARNINGS: {"tests/workspace/combine.rs": ["W306", "W308"], "tests/workspace/combine_schemes.rs": ["W316"], "tests/workspace/combine_eft.rs": ["W311"], "tests/infer/gaussian_forms.rs": ["W328"]},
}


def case(id, operation, document, input, expect, rule):
    return dict(id=id, spec=f"validation.md; {rule}", document=document, operation=operation, input=input, expect=expect, tolerance={}, provenance=SOURCE.format(rule))


def validation(rule, what, text, pointers, kind, **input):
    name, severity = RULES[rule]
    finding = {"class": [name], "rule": [rule]} | ({"pointer": pointers} if pointers else {})
    expect = {"valid": severity == "warning", "findings": [finding]}
    return case(f"rule/{rule}/{what}", "validate", {"document": {"text": text}}, {"kind": kind, **input}, expect, rule)


def cases():
    for group in rule_documents.WORKSPACES:
        for rule, what, text, pointers in group():
            yield validation(rule, what, text, pointers, "workspace")
    for rule, what, document, input, pointers in rule_documents.hs3():
        yield validation(rule, what, json.dumps(document), pointers, "hs3", **input)
    for rule, what, text in rule_documents.models():
        yield case(f"rule/{rule}/{what}", "model", {"workspace": {"text": text}}, {}, {"error": {"class": [RULES[rule][0]]}}, rule)
    for rule, what, text in rule_documents.events():
        # Event databases are found from the folder of a document that is a file.
        path = f"fixtures/eft_events/broken_{rule}.json"
        (TOP / path).write_text(json.dumps(json.loads(text), ensure_ascii=False) + "\n")
        yield case(f"rule/{rule}/{what}", "model", {"workspace": {"file": path}}, {}, {"error": {"class": [RULES[rule][0]]}}, rule)
    unknown = {"workspace": {"file": "fixtures/counting/workspace.json"}}
    yield case("rule/W130/unknown_measurement", "model", unknown, {"measurement": "nowhere"}, {"error": {"class": [RULES["W130"][0]]}}, "W130")
    for rule, what, texts in rule_documents.combinations():
        documents = {name: {"text": text} for name, text in zip("ab", texts)}
        yield case(f"rule/{rule}/{what}", "combine", documents, {"join": "none"}, {"error": {"class": [RULES[rule][0]]}}, rule)
    texts, result = rule_documents.converted()
    documents = {name: {"text": text} for name, text in zip("ab", texts)}
    found = case("rule/W311/another_scale", "combine", documents, {"join": "none"}, {"document": result}, "W311")
    yield found | {"spec": "combine.md, eq. 2; W311", "provenance": "closed form: powers of 4 (conformance/rule_documents.py, converted)"}


def check(files):
    """Every rule stands in a case or in ELSEWHERE, with a test that names it or its class."""
    named = {rule for case in files for finding in case["expect"].get("findings", []) for rule in finding.get("rule", [])}
    named |= {rule for case in files for rule in re.findall(r"; (W\d+)", case["spec"])}
    told = {rule: file for tests in ELSEWHERE.values() for file, rules in tests.items() for rule in rules}
    missing = sorted(RULES.keys() - named - told.keys())
    assert not missing, f"no case breaks {missing}"
    readme = (TOP / "conformance/README.md").read_text()
    unsaid = sorted(rule for rule in told if rule not in readme)
    assert not unsaid, f"README.md does not say where {unsaid} are tested"
    both = sorted(rule for rule in told if any(rule == case["id"].split("/")[1] for case in files if case["id"].startswith("rule/")) and rule != "W311")
    assert not both, f"{both} have cases, and stand in ELSEWHERE"
    silent = [(rule, file) for rule, file in told.items() if rule not in (TOP / file).read_text() and RULES[rule][0] not in (TOP / file).read_text()]
    assert not silent, f"tests do not name {silent}"
