"""What the rival processes of the speed comparison share: timing of blocks of calls in process CPU time, and the
conversation with `speed.py` (a line on stdin is a round, a line of JSON on stdout its result). Standard library only,
for it runs in every rival's own environment."""

import json
import signal
import sys
import time

BLOCK_S = 0.15
LIMIT_S = 180


def seconds_per_call(call, points):
    """CPU seconds of one `call(point)`; the points take turns, so that every parameter moves at every call."""
    calls, began, spent = 0, time.process_time(), 0.0
    while spent < BLOCK_S or calls < len(points):
        for point in points:
            call(point)
        calls += len(points)
        spent = time.process_time() - began
    return spent / calls


def timed_fit(fit, budget=0.5):
    """CPU seconds and minimum of one fit, the median of as many as the budget allows."""
    times, value = [], None
    while not times or (sum(times) < budget and len(times) < 25):
        began = time.process_time()
        value = fit()
        times.append(time.process_time() - began)
    times.sort()
    return {"seconds": times[len(times) // 2], "twice_nll": value}


def moved(start, low, high, count=8):
    """Points next to the start in which all parameters differ, kept within the bounds."""
    points = []
    for k in range(1, count + 1):
        shift = [1e-3 * ((7 * i + 3 * k) % 11 + 1) for i in range(len(start))]
        points.append([x + s if x + s < hi else x - s for x, s, lo, hi in zip(start, shift, low, high)])
    return points


def guarded(work):
    """The result of `work()`, or the reason why there is none, a time limit being one."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(LIMIT_S)
    try:
        return work()
    except Exception as problem:  # noqa: BLE001 - a rival's failure is a result
        return {"failed": f"{type(problem).__name__}: {problem}"[:200]}
    finally:
        signal.alarm(0)


def _too_long(_signal, _frame):
    raise TimeoutError(f"stopped after {LIMIT_S} s")


def serve(about, measure):
    """Says that it is ready, then measures once for every line that comes in."""
    print(json.dumps(about), flush=True)
    for _ in sys.stdin:
        print(json.dumps(measure()), flush=True)
