"""What the adapters have in common: questions as JSON lines, answers as JSON lines, and what HS3 cases ask for."""
import json
import math
import os
import signal
import sys

PATIENCE = int(os.environ.get("PATIENCE", 60))  # seconds for one question


class Unsupported(Exception):
    """A question that the program has no answer to."""


def finite(x):
    return float(x) if math.isfinite(x) else None


def hs3_text(request):
    """The HS3 document of a question, which has to be with the program's own conventions."""
    given, text = request["input"], request["documents"].get("hs3")
    if text is None:
        raise Unsupported("workspaces of pyhf")
    if "dialect" in given or "conventions" in given:
        raise Unsupported("conventions other than its own")
    return text


def too_late(*_):
    raise Unsupported(f"no answer within {PATIENCE} s")


def answer(request, operations, class_of=lambda e: type(e).__name__):
    """The result of one of the operations, which are functions by name, or why there is none."""
    operation = operations.get(request["operation"])
    if operation is None:
        return {"unsupported": request["operation"]}
    signal.signal(signal.SIGALRM, too_late)
    signal.alarm(PATIENCE)
    try:
        return {"result": operation(request)}
    except (Unsupported, NotImplementedError) as e:
        return {"unsupported": str(e) or "not implemented"}
    except Exception as e:
        return {"error": {"class": class_of(e), "message": str(e).strip()[:300]}}
    finally:
        signal.alarm(0)


def serve(answer_to):
    """Answers all questions of standard input; whatever the program prints goes to standard error."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], **answer_to(request)}), file=out, flush=True)
