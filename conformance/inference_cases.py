"""Cases of spec/inference.md: from the numbers recorded in fixtures/*/inference.json, and from closed forms."""
import math
from decimal import Decimal

from scipy.stats import chi2, norm, poisson

ONE_SIGMA = 2 * norm.cdf(1) - 1
BAND = (2, 1, 0, -1, -2)
NUMBER = {"rel": 1e-7, "abs": 1e-9}
# Toys of one case, and how many standard deviations its answer may be away: a sound program fails once in 1.7 million.
TOYS, AWAY = 20000, 5


def case(id, equation, document, operation, input, expect, tolerance, provenance):
    spec = f"inference.md, eq. {equation}"
    return dict(id=id, spec=spec, document=document, operation=operation, input=input, expect=expect, tolerance=tolerance, provenance=provenance)


def alike(expect, tolerance=NUMBER):
    return {key: tolerance for key in expect}


def picked(entry, *keys):
    return {key: entry[key] for key in keys}


def recorded(name, numbers):
    document = {"workspace": {"file": f"fixtures/{name}/workspace.json"}}
    p = numbers["provenance"]
    source = f"{p['program']}; {p['command']}; {p['minimum']}"
    several = len(numbers["measurements"]) > 1
    for m in numbers["measurements"]:
        prefix = f"{name}/{m['name']}" if several else name
        for tail, equation, operation, input, expect, tolerance in [*tests(m), *intervals(m), *impacts(m), *predictions(m)]:
            yield case(f"{prefix}/{operation}/{tail}", equation, document, operation, {"measurement": m["name"], **input}, expect, tolerance, source)


def tests(m):
    for e in m["hypotest"]:
        expect = picked(e, "q", "q_A", "CLs_obs", "CLsb", "CLb", "CLs_exp")
        yield f"{e['test_stat']},mu={e['poi_test']}", "3 to 12", "hypotest", picked(e, "poi_test", "test_stat"), expect, alike(expect)
    for e in m["t_mu"]:
        expect = picked(e, "t", "p_value")
        yield f"mu={e['poi_test']}", "1, 2 and 15", "likelihood_ratio", {"values": {m["poi"]: e["poi_test"]}}, expect, alike(expect)
    for e in m.get("t_mu_several", []):
        expect = picked(e, "t", "p_value")
        yield "two", "1, 2 and 15", "likelihood_ratio", picked(e, "values"), expect, alike(expect)
    # Rounding of q is 1e-14; its root is what a significance of zero may be.
    yield "q0", "4, 8 and 13", "significance", {}, m["significance"], alike(m["significance"]) | {"significance": {"rel": 1e-7, "abs": 1e-6}, "p0": {"rel": 1e-6}}
    for e in m["upper_limit"]:
        expect = picked(e, "observed_limit", "expected_limit")
        input = picked(e, "level", "criterion", "test_stat")
        yield f"{e['criterion']},{e['level']}", "17 and 18", "upper_limit", input, expect, alike(expect, {"rel": 1e-6, "abs": 1e-6})


def intervals(m):
    for tag, level, found in (("one_sigma", ONE_SIGMA, m["minos"]), ("95", 0.95, m["minos_95"])):
        expect = {"intervals": {n: picked(sides, "lower", "upper") for n, sides in found.items()}}
        yield tag, "20", "minos", {"level": level, "parameters": list(found)}, expect, alike(expect, {"rel": 1e-6})
    for e in m["scan"]:
        expect = picked(e, "delta_twice_nll")
        yield ",".join(e["parameters"]), "22", "scan", picked(e, "parameters", "values"), expect, alike(expect, {"rel": 1e-7, "abs": 1e-8})


def impacts(m):
    if "ranking" not in m:
        return
    found, equations = m["ranking"], {"refit": "25 and 26", "hessian": "27 and 28", "global_observables": "29 and 30"}
    for method, equation in equations.items():
        if found[method]:
            yield method, equation, "ranking", {"method": method}, {"impacts": found[method]}, {"impacts": {"rel": 1e-5, "abs": 1e-6}}
    if found["groups"]["by_name"]:
        groups = {name: [name, f"{name}[[]*"] for name in found["groups"]["by_name"]}
        expect = {**picked(found["groups"], "total", "statistical", "systematic"), "groups": found["groups"]["by_name"]}
        yield "groups", "32", "breakdown", {"groups": groups}, expect, alike(expect, {"rel": 1e-6, "abs": 1e-7})


def predictions(m):
    for kind, equation in (("prefit", "7, 33 and 34"), ("postfit", "33")):
        expect = {"channels": m["yields"][kind]}
        yield kind, equation, "yields", {"kind": kind}, expect, alike(expect, {"rel": 1e-6, "abs": 1e-7})
    gof = {"statistic": {"rel": 1e-7, "abs": 1e-8}, "p_value": {"rel": 1e-6}, "bins": {"rel": 1e-5, "abs": 1e-7}, "constraints": {"rel": 1e-5, "abs": 1e-7}}
    yield "saturated", "35", "gof", {}, m["gof"], gof
    if "channel_compatibility" in m:
        tolerance = {"statistic": {"rel": 1e-6, "abs": 1e-8}, "p_value": {"rel": 1e-6, "abs": 1e-7}, "best_fit": {"abs": 1e-5}}
        yield "all", "36", "channel_compatibility", {}, m["channel_compatibility"], tolerance
    for e in m["asimov"]:
        input = {"kind": e["kind"]} | ({} if e["mu"] is None else {"mu": e["mu"]})
        tail = e["kind"] if e["mu"] is None else f"{e['kind']},mu={e['mu']}"
        yield tail, "5" if e["kind"] == "conditional" else "7", "asimov", input, {"data": e["data"]}, {"data": {"rel": 1e-6, "abs": 1e-7}}


def deviance(n, nu):
    """D of likelihood.md, eq. 6, without loss where n and nu are close."""
    n, nu = Decimal(n), Decimal(nu)
    return float(nu - n + (n * (n / nu).ln() if n > 0 else 0))


def closed_forms():
    counting = {"workspace": {"file": "fixtures/counting/workspace.json"}}
    normfactor = {"workspace": {"file": "fixtures/normfactor/workspace.json"}}
    deficit = one_bin(background=40.0, signal=8.0, observed=31)
    which = {"measurement": "meas"}
    tight = {"rel": 1e-9, "abs": 1e-10}
    for tag, document, n in (("counting", counting, 53), ("deficit", deficit, 31)):
        for mu in (0.5, 2.0, 4.0):
            expect = counting_test(n, 40.0, 8.0, mu)
            yield case(f"closed_form/hypotest/{tag},mu={mu}", "47 with 9 to 12", document, "hypotest", {**which, "poi_test": mu, "test_stat": "qtilde"}, expect, alike(expect, tight), "eq. 47 with b = 40, s = 8")
    z, z_asimov = math.sqrt(2 * (53 * math.log(53 / 40) - 13)), math.sqrt(2 * (48 * math.log(1.2) - 8))
    expect = {"significance": z, "p0": float(norm.sf(z)), "significance_exp": [z_asimov + n for n in BAND]}
    yield case("closed_form/significance/counting", "13 and 47", counting, "significance", which, expect, alike(expect, tight), "q0 = 2 (n ln(n/b) - n + b)")
    z = math.sqrt(2 * 36 * math.log(36 * 5 / 128) + 2 * 92 * math.log(92 * 5 / (4 * 128)))
    expect = {"significance": z, "p0": float(norm.sf(z))}
    yield case("closed_form/significance/control_region", "48", normfactor, "significance", which, expect, alike(expect, tight), "eq. 48 with n = 36, m = 92, tau = 4")
    expect = {"significance": 0.0, "p0": 0.5, "q0": 0.0}
    yield case("closed_form/significance/deficit", "4", deficit, "significance", which, expect, alike(expect, {"abs": 1e-12}), "no excess: q0 = 0")
    input = {**which, "poi_test": 1.0, "test_stat": "qtilde"}
    for weak in (1e-2, 1e-3):
        expect = counting_test(31, 40.0, weak, 1.0)
        yield case(f"closed_form/hypotest/signal={weak}", "47 with 9 to 12", one_bin(40.0, weak, 31), "hypotest", input, expect, alike(expect, {"rel": 1e-5, "abs": 1e-12}), "eq. 47 with b = 40")
    nothing = one_bin(background=40.0, signal=0.0, observed=53)
    expect = {"error": {"class": ["FailedMinimization"]}}
    yield case("closed_form/hypotest/no_signal", "1", nothing, "hypotest", input, expect, {}, "without signal the strength has no minimum")
    yield from toys(counting, which)


def one_bin(background, signal, observed):
    import json

    samples = [{"name": "background", "data": [background], "modifiers": []}]
    samples.append({"name": "signal", "data": [signal], "modifiers": [{"name": "mu", "type": "normfactor", "data": None}]})
    document = {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": [observed]}],
        "measurements": [{"name": "meas", "config": {"poi": "mu", "parameters": []}}],
        "version": "1.0.0",
    }
    return {"workspace": {"text": json.dumps(document)}}


def counting_test(n, b, s, mu):
    nu = b + mu * s
    q = 0.0 if (n - b) / s > mu else 2 * (deviance(n, nu) if n >= b else mu * s + float(Decimal(n) * (Decimal(b) / Decimal(nu)).ln()))
    q_asimov = 2 * deviance(b, nu)
    root, shift = math.sqrt(q), math.sqrt(q_asimov)
    t = root - shift if root <= shift else (q - q_asimov) / (2 * shift)
    ratio = lambda x: float(math.exp(norm.logcdf(-(x + shift)) - norm.logcdf(-x)))
    return {
        "q": q, "q_A": q_asimov, "CLs_obs": ratio(t), "CLsb": float(norm.cdf(-(t + shift))), "CLb": float(norm.cdf(-t)),
        "CLs_exp": [ratio(k) for k in BAND],
    }


def toys(document, which):
    """Poisson sums, within five standard deviations of the toys."""
    error = lambda p: AWAY * math.sqrt(p * (1 - p) / TOYS)
    for mu in (2.5, 4.0):
        clsb, clb = float(poisson.cdf(53, 40 + 8 * mu)), float(poisson.cdf(53, 40))
        expect = {"CLsb": clsb, "CLb": clb}
        tolerance = {"CLsb": {"abs": error(clsb)}, "CLb": {"abs": error(clb)}}
        input = {**which, "poi_test": mu, "test_stat": "qtilde", "toys": TOYS, "seed": 1}
        yield case(f"closed_form/toys/qtilde,mu={mu}", "38, 40, 41 and 49", document, "toys", input, expect, tolerance, f"sums of Poisson probabilities; {AWAY} standard deviations of {TOYS} toys")
    p0 = float(poisson.sf(52, 40))
    input = {**which, "poi_test": 0.0, "test_stat": "q0", "toys": TOYS, "seed": 1}
    yield case("closed_form/toys/q0", "38, 40 and 49", document, "toys", input, {"CLsb": p0}, {"CLsb": {"abs": error(p0)}}, f"a sum of Poisson probabilities; {AWAY} standard deviations of {TOYS} toys")
    assert abs(chi2.ppf(ONE_SIGMA, 1) - 1) < 1e-12
