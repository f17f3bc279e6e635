"""HS3 documents of our own, and what −ln L of each is by the formulae of spec/hs3.md and spec/hs3-histfactory.md.

Written with math, numpy and scipy alone, from the chapters: the numbers are closed forms, or quadratures where one says so.
"""
import math

import numpy as np
import scipy.integrate
import scipy.special
import scipy.stats

EDGES = {"min": 0.0, "max": 2.0, "nbins": 2}
SIGNAL, BACKGROUND, COUNTS = [6.0, 9.0], [30.0, 22.0], [41.0, 29.0]
# (type, in, out): codes of interpolation.md for numbers and for templates.
CODES = {
    "add_poly1": ("add", "poly1", "poly1"),
    "mult_exp": ("mult", "exp", "exp"),
    "add_poly2": ("add", "poly2", "poly1"),
    "add_poly6": ("add", "poly6", "poly1"),
    "mult_poly6_exp": ("mult", "poly6", "exp"),
    "mult_poly6_poly1": ("mult", "poly6", "poly1"),
}


# --- documents -------------------------------------------------------------------------------------------------------


def channel(name, samples, **more):
    return {"name": name, "type": "histfactory_dist", "axes": [{"name": f"obs_{name}", **EDGES}], "samples": samples, **more}


def sample(name, contents, *modifiers, errors=None):
    data = {"contents": contents} | ({"errors": errors} if errors else {})
    return {"name": name, "data": data, "modifiers": list(modifiers)}


def counts(name, contents):
    return {"name": f"data_{name}", "type": "binned", "axes": [{"name": f"obs_{name}", **EDGES}], "contents": contents}


def normfactor(name, **more):
    return {"name": name, "type": "normfactor", "parameter": name, **more}


def normsys(name, lo, hi, **more):
    return {"name": name, "type": "normsys", "parameter": f"alpha_{name}", "data": {"lo": lo, "hi": hi}, **more}


def histosys(name, lo, hi, **more):
    data = {"lo": {"contents": lo}, "hi": {"contents": hi}}
    return {"name": name, "type": "histosys", "parameter": f"alpha_{name}", "data": data, **more}


def document(distributions, data, parameters, package=None, functions=(), pairs=None, aux=(), constants=(), variates=()):
    """One likelihood and one analysis. `parameters`: name → (value, min, max); `constants`: the same for what is constant."""
    constants = dict(constants)
    ranges = {**parameters, **constants, **dict(variates)}
    axes = [{"name": n, **({"min": v[1]} if v[1] is not None else {}), **({"max": v[2]} if v[2] is not None else {})} for n, v in ranges.items()]
    point = [{"name": n, "value": v[0]} for n, v in parameters.items()] + [{"name": n, "value": v[0], "const": True} for n, v in constants.items()]
    pairs = pairs or [(d["name"], f"data_{d['name']}") for d in distributions if d["type"] == "histfactory_dist"]
    likelihood = {"name": "likelihood", "distributions": [p[0] for p in pairs], "data": [p[1] for p in pairs]}
    if aux:
        likelihood["aux_distributions"] = list(aux)
    own = [axis for axis in axes if axis["name"] in parameters]
    domains = [{"name": "default_domain", "type": "product_domain", "axes": axes}, {"name": "analysis_parameters", "type": "product_domain", "axes": own}]
    observed = [n for n in constants if n.startswith("obs_of_")]
    if observed:
        own = [a for a in axes if a["name"] in observed]
        domains.append({"name": "analysis_global_observables", "type": "product_domain", "axes": own})
    out = {"metadata": {"hs3_version": "0.2", "packages": [{"name": package[0], "version": package[1]}] if package else []}}
    out |= {"distributions": list(distributions), "functions": list(functions), "data": list(data)}
    out |= {"likelihoods": [likelihood], "domains": domains, "parameter_points": [{"name": "default_values", "parameters": point}]}
    poi = ["mu"] if "mu" in parameters else [next(iter(parameters))]
    out["analyses"] = [{"name": "analysis", "likelihood": "likelihood", "parameters_of_interest": poi, "domains": [d["name"] for d in domains[1:]], "init": "default_values"}]
    return out


ROOT, PYHS3 = ("ROOT", "6.40.00"), ("pyhs3", "0.4.2")
MU = {"mu": (1.0, 0.0, 10.0)}
ALPHA = (0.0, -5.0, 5.0)
GAMMA = (1.0, 0.0, 10.0)


# --- formulae --------------------------------------------------------------------------------------------------------


def poisson(n, nu):
    """−ln of the probability of n, which need not be whole."""
    return nu - scipy.special.xlogy(n, nu) + math.lgamma(n + 1)


def bins(observed, expected):
    return sum(poisson(n, nu) for n, nu in zip(observed, expected))


def gauss(x, mean, sigma):
    return 0.5 * ((x - mean) / sigma) ** 2 + math.log(sigma) + 0.5 * math.log(2 * math.pi)


def truncation(mean, sigma, low, high):
    """eq. 3 of hs3-histfactory.md"""
    return math.log(scipy.stats.norm.cdf((high - mean) / sigma) - scipy.stats.norm.cdf((low - mean) / sigma))


def smooth(alpha):
    return alpha**2 * (15 - 10 * alpha**2 + 3 * alpha**4) / 8 if abs(alpha) < 1 else abs(alpha)


def factor(code, alpha, nominal, lo, hi):
    """Of a number or a bin; offsets of the additive ones are divided by the nominal."""
    up, down = hi / nominal, lo / nominal
    half, mean = (up - down) / 2, (up + down) / 2 - 1
    if code == "add_poly1":
        return 1 + half * alpha + mean * abs(alpha)
    if code == "mult_exp":
        return up**alpha if alpha >= 0 else down**-alpha
    if code == "add_poly2":
        return 1 + half * alpha + mean * (alpha**2 if abs(alpha) <= 1 else 2 * abs(alpha) - 1)
    if code in ("add_poly6", "mult_poly6_poly1"):
        return 1 + half * alpha + mean * smooth(alpha)
    if abs(alpha) >= 1:
        return up**alpha if alpha >= 0 else down**-alpha
    return 1 + sum(c * alpha ** (i + 1) for i, c in enumerate(sextic(up, down)))


def sextic(up, down):
    """1 + Σ cᵢ αⁱ, i = 1 … 6, with value, slope and curvature of the exponentials at ±1."""
    rows, values = [], []
    for a, base, sign in ((1.0, up, 1), (-1.0, down, -1)):
        log = math.log(base)
        for order, value in enumerate((base - 1, sign * log * base, log * log * base)):
            rows.append([math.perm(i, order) * a ** (i - order) if i >= order else 0.0 for i in range(1, 7)])
            values.append(value)
    return np.linalg.solve(np.array(rows), np.array(values))


# --- channels --------------------------------------------------------------------------------------------------------

LO_HI, TEMPLATES = (0.88, 1.2), ([4.5, 9.6], [7.8, 8.1])
ALPHAS = {"start": (0.0, 0.0), "inside": (0.4, -0.7), "edge": (-1.0, 1.0), "outside": (1.6, -1.3)}


def codes(norm, histo, package=None, default=None):
    """normsys and histosys on one sample, each with keys that say how they interpolate."""
    signal = sample("signal", SIGNAL, normfactor("mu"), normsys("n", *LO_HI, **norm), histosys("h", *TEMPLATES, **histo))
    for m, more in ((signal["modifiers"][1], norm), (signal["modifiers"][2], histo)):
        m["data"] |= more.get("data_more", {})
        m.pop("data_more", None)
    more = {"default_interpolation": default} if default else {}
    sr = channel("SR", [sample("background", BACKGROUND), signal], **more)
    return document([sr], [counts("SR", COUNTS)], {**MU, "alpha_n": ALPHA, "alpha_h": ALPHA}, package)


def codes_nll(norm, histo, mu, n, h):
    scale = mu * factor(norm, n, 1.0, *LO_HI)
    expected = [b + scale * s * factor(histo, h, s, lo, hi) for b, s, lo, hi in zip(BACKGROUND, SIGNAL, *TEMPLATES)]
    return bins(COUNTS, expected) + gauss(0.0, n, 1.0) + gauss(0.0, h, 1.0)


def struct(code):
    return {"interpolation": dict(zip(("type", "in", "out"), CODES[code]))}


def interpolation_cases():
    spellings = {
        "number": ({"interpolation": 1}, {"interpolation": 4}, "mult_exp", "add_poly6"),
        "word": ({"interpolation": "lin"}, {"interpolation": "parabolic"}, "add_poly1", "add_poly2"),
        "in_data": ({"data_more": {"interpolation": "code1"}}, {"data_more": {"interpolation": "code0"}}, "mult_exp", "add_poly1"),
        "default": ({}, {}, "mult_poly6_exp", "add_poly6"),
    }
    for code in CODES:
        doc = codes(struct(code), struct(code))
        for label, (n, h) in ALPHAS.items():
            nll = codes_nll(code, code, 1.3, n, h)
            yield f"interpolation/{code}/{label}", "hs3-histfactory.md, section 4", doc, {}, {"mu": 1.3, "alpha_n": n, "alpha_h": h}, (nll, nll)
    for label, (norm, histo, of_norm, of_histo) in spellings.items():
        nll = codes_nll(of_norm, of_histo, 1.3, 0.4, -0.7)
        yield f"interpolation/spelled/{label}", "hs3-histfactory.md, section 4 (A5)", codes(norm, histo), {}, {"mu": 1.3, "alpha_n": 0.4, "alpha_h": -0.7}, (nll, nll)
    for number, code in ((0, "add_poly1"), (1, "mult_exp"), (2, "add_poly2"), (4, "mult_poly6_exp")):
        for label, (n, h) in ALPHAS.items():
            nll = codes_nll(code, "add_poly6", 1.3, n, h)
            doc = codes({"interpolation": number}, {"interpolation": 4})
            yield f"interpolation/number/{number}/{label}", "hs3-histfactory.md, section 4", doc, {}, {"mu": 1.3, "alpha_n": n, "alpha_h": h}, (nll, nll)
    one = {"type": "mult", "in": "poly6", "out": "poly1"}
    nll = codes_nll("mult_poly6_poly1", "mult_poly6_poly1", 1.3, 0.4, -0.7)
    yield "interpolation/spelled/of_channel", "hs3-histfactory.md, section 4", codes({}, {}, default=one), {}, {"mu": 1.3, "alpha_n": 0.4, "alpha_h": -0.7}, (nll, nll)


def scaled(modifier, parameters, package=None, functions=(), distributions=(), constants=(), **more):
    """The background of one channel carries the modifier."""
    sr = channel("SR", [sample("background", BACKGROUND, modifier, errors=more.pop("errors", None)), sample("signal", SIGNAL, normfactor("mu"))], **more)
    return document([sr, *distributions], [counts("SR", COUNTS)], {**MU, **parameters}, package, functions, constants=constants)


def constraint_cases():
    spec = "hs3-histfactory.md, section 3"
    nu = lambda mu, f: [b * f + mu * s for b, s in zip(BACKGROUND, SIGNAL)]
    code4 = lambda a: factor("mult_poly6_exp", a, 1.0, *LO_HI)
    by_type = scaled(normsys("n", *LO_HI, constraint="Gauss"), {"alpha_n": ALPHA})
    nll = bins(COUNTS, nu(1.1, code4(0.6))) + gauss(0.0, 0.6, 1.0)
    yield "constraint/gauss", spec, by_type, {}, {"mu": 1.1, "alpha_n": 0.6}, (nll, nll)
    named = {"name": "of_n", "type": "gaussian_dist", "x": "obs_of_n", "mean": "alpha_n", "sigma": 0.5}
    observed = {"obs_of_n": (0.2, -20.0, 20.0)}
    nll = bins(COUNTS, nu(1.1, code4(0.6))) + gauss(0.2, 0.6, 0.5)
    for key, value in (("constraint_name", "of_n"), ("constraint", "of_n"), ("constraints", ["of_n"])):
        doc = scaled(normsys("n", *LO_HI, **{key: value}), {"alpha_n": ALPHA}, distributions=[named], constants=observed)
        yield f"constraint/gaussian_dist/{key}", f"{spec} (A3)", doc, {}, {"mu": 1.1, "alpha_n": 0.6}, (nll, nll)
    both = scaled(normsys("n", *LO_HI, constraint_name="of_n", constraint_type="Const"), {"alpha_n": ALPHA}, distributions=[named], constants=observed)
    yield "constraint/name_before_type", f"{spec} (A3)", both, {}, {"mu": 1.1, "alpha_n": 0.6}, (nll, nll)
    rate = {"name": "mean_of_k", "type": "product", "factors": ["k", "tau"]}
    poisson_k = {"name": "of_k", "type": "poisson_dist", "x": "obs_of_k", "mean": "mean_of_k", "integer": False}
    doc = scaled(normfactor("k", constraint_name="of_k"), {"k": GAMMA}, functions=[rate], distributions=[poisson_k], constants={"obs_of_k": (27.0, 0.0, 1000.0), "tau": (25.0, 0.0, 100.0)})
    nll = bins(COUNTS, nu(1.1, 1.2)) + poisson(27.0, 25 * 1.2)
    yield "constraint/poisson_dist", spec, doc, {}, {"mu": 1.1, "k": 1.2}, (nll, nll)
    log_normal = {"name": "of_k", "type": "lognormal_dist", "x": "k", "mu": 0.1, "sigma": 0.2}
    nll = bins(COUNTS, nu(1.1, 1.2)) - scipy.stats.lognorm.logpdf(1.2, 0.2, scale=math.exp(0.1))
    yield "constraint/lognormal_dist", f"{spec}, eq. 4", scaled(normfactor("k", constraint_name="of_k"), {"k": (1.0, 0.01, 10.0)}, distributions=[log_normal]), {}, {"mu": 1.1, "k": 1.2}, (nll, None)
    gamma = {"name": "of_k", "type": "gamma_dist", "x": "k", "gamma": 26.0, "beta": 0.04, "mu": 0.0}
    nll = bins(COUNTS, nu(1.1, 1.2)) - scipy.stats.gamma.logpdf(1.2, 26.0, scale=0.04)
    yield "constraint/gamma_dist", f"{spec}, eq. 5", scaled(normfactor("k", constraint_name="of_k"), {"k": (1.0, 0.0, 10.0)}, distributions=[gamma]), {}, {"mu": 1.1, "k": 1.2}, (nll, None)
    flat = {"name": "of_k", "type": "uniform_dist", "x": "k"}
    nll = bins(COUNTS, nu(1.1, 1.2)) + math.log(4.0)
    yield "constraint/uniform_dist", spec, scaled(normfactor("k", constraint_name="of_k"), {"k": (1.0, 0.0, 4.0)}, distributions=[flat]), {}, {"mu": 1.1, "k": 1.2}, (nll, None)


def gammas(kind, name, values, **more):
    return {"name": name, "type": kind, "parameters": [f"gamma_{name}_bin_{i}" for i in range(2)], **more}, {f"gamma_{name}_bin_{i}": v for i, v in enumerate(values)}


def width_cases():
    spec = "hs3-histfactory.md, section 2"
    at = [1.15, 0.9]
    nu = [b * g + 1.1 * s for b, g, s in zip(BACKGROUND, at, SIGNAL)]
    relative, absolute = [0.1, 0.2], [3.0, 4.4]
    tau = [1 / r**2 for r in relative]
    poissons = bins(COUNTS, nu) + sum(poisson(t, g * t) for g, t in zip(at, tau))
    gausses = bins(COUNTS, nu) + sum(gauss(1.0, g, r) for g, r in zip(at, relative))
    settings = [
        ("root", ROOT, {"vals": relative, "constraint_type": "Poisson"}, poissons, {}),
        ("root_6.28", ("ROOT", "6.28.00"), {"vals": tau, "constraint_type": "Poisson"}, poissons, {}),
        ("pyhs3", PYHS3, {"vals": absolute, "constraint": "Poisson"}, poissons, {}),
        ("relative_by_choice", None, {"vals": relative}, poissons, {"conventions": {"shapesys_values": "relative"}}),
        ("dialect_by_choice", None, {"vals": relative, "constraint_type": "Poisson"}, poissons, {"dialect": "root"}),
        ("root_gauss", ROOT, {"vals": relative, "constraint_type": "Gauss"}, gausses + sum(truncation(g, r, 0.0, 10.0) for g, r in zip(at, relative)), {}),
    ]
    for label, package, keys, nll, more in settings:
        modifier, point = gammas("shapesys", "u", at, **({"constraint_type": keys["constraint_type"]} if "constraint_type" in keys else {}))
        modifier |= {"data": {"vals": keys["vals"]}} | ({"constraint": keys["constraint"]} if "constraint" in keys else {})
        doc = scaled(modifier, {n: GAMMA for n in point}, package)
        yield f"shapesys/{label}", f"{spec}, eq. 2 (A2)", doc, more, {"mu": 1.1, **point}, (nll, nll)
    errors = [3.0, 4.4]
    for label, package, keys, nll in (
        ("root_default_poisson", ROOT, {}, poissons),
        ("pyhs3_default_gauss", PYHS3, {}, gausses),
        ("root_gauss", ROOT, {"constraint_type": "Gauss"}, gausses + sum(truncation(g, r, 0.0, 10.0) for g, r in zip(at, relative))),
        ("canonical_gauss", None, {"constraint_type": "Gauss"}, gausses),
        ("canonical_poisson", None, {"constraint_type": "Poisson"}, poissons),
    ):
        modifier, point = gammas("staterror", "stat_SR", at, **keys)
        doc = scaled(modifier | {"name": "staterror"}, {n: GAMMA for n in point}, package, errors=errors)
        if package == PYHS3:
            doc["distributions"][0]["barlow_beeston_method"] = "lite"
        if label == "root_gauss":
            doc["distributions"][0]["staterror"] = {"constraint_type": "Gauss"}
        yield f"staterror/{label}", f"{spec}, eq. 1 (A4)", doc, {}, {"mu": 1.1, **point}, (nll, nll)


def convention_cases():
    """What ROOT does and others do not."""
    lo, hi = [1.0, 9.6], [15.0, 8.1]
    signal = sample("signal", SIGNAL, normfactor("mu"), histosys("h", lo, hi))
    parameters = {**MU, "alpha_h": ALPHA}
    template = [s + (h - l) / 2 * -2.0 + ((h + l) / 2 - s) * 2.0 for s, l, h in zip(SIGNAL, lo, hi)]
    assert template[0] < 0 < template[1]
    nu = lambda t: [b + 1.3 * x for b, x in zip(BACKGROUND, t)]
    clipped = bins(COUNTS, nu([max(t, 0.0) for t in template])) + gauss(0.0, -2.0, 1.0)
    plain = bins(COUNTS, nu(template)) + gauss(0.0, -2.0, 1.0)
    cut = truncation(-2.0, 1.0, -10.0, 10.0)
    for label, package, more, nll in (
        ("root", ROOT, {}, clipped + cut),
        ("canonical", None, {}, plain),
        ("switched_off", ROOT, {"conventions": {"clip_templates": False}}, plain + cut),
        ("all_switched_off", ROOT, {"conventions": {"clip_templates": False, "truncate_constraints": False}}, plain),
        ("switched_on", None, {"conventions": {"clip_templates": True}}, clipped),
    ):
        doc = document([channel("SR", [sample("background", BACKGROUND), signal])], [counts("SR", COUNTS)], parameters, package)
        yield f"clip/{label}", "hs3-histfactory.md, Negative templates (A6)", doc, more, {"mu": 1.3, "alpha_h": -2.0}, (nll, nll)
    named = {"name": "of_n", "type": "gaussian_dist", "x": "obs_of_n", "mean": "alpha_n", "sigma": 1.0}
    observed = {"obs_of_n": (0.0, -1.5, 2.5)}
    expected = [b * factor("mult_poly6_exp", 0.6, 1.0, *LO_HI) + 1.1 * s for b, s in zip(BACKGROUND, SIGNAL)]
    nll = bins(COUNTS, expected) + gauss(0.0, 0.6, 1.0)
    for label, package, value in (("root", ROOT, nll + truncation(0.6, 1.0, -1.5, 2.5)), ("canonical", None, nll)):
        doc = scaled(normsys("n", *LO_HI, constraint_name="of_n"), {"alpha_n": ALPHA}, package, distributions=[named], constants=observed)
        yield f"truncation/{label}", "hs3-histfactory.md, eq. 3 (A8)", doc, {}, {"mu": 1.1, "alpha_n": 0.6}, (value, value)
    # Two channels share a constraint, which counts once; the label of the channel has ln 2 an event.
    shared = normsys("n", *LO_HI, constraint_name="of_n")
    channels = [channel("SR", [sample("background", BACKGROUND, shared), sample("signal", SIGNAL, normfactor("mu"))]), channel("CR", [sample("background", [80.0, 60.0], shared)])]
    control = [84.0, 55.0]
    scale = factor("mult_poly6_exp", 0.6, 1.0, *LO_HI)
    nll = nll + bins(control, [80 * scale, 60 * scale])
    observed = {"obs_of_n": (0.0, -20.0, 20.0)}
    offset = sum(COUNTS + control) * math.log(2)
    for label, package, roofit in (("root", ROOT, nll + offset), ("canonical", None, nll)):
        doc = document([*channels, named], [counts("SR", COUNTS), counts("CR", control)], {**MU, "alpha_n": ALPHA}, package, constants=observed)
        yield f"two_channels/{label}", "hs3-histfactory.md, eq. 7 (A10, A19)", doc, {}, {"mu": 1.1, "alpha_n": 0.6}, (nll, roofit)


def channel_cases():
    """(id, chapter, document, input, parameters, (−ln L, RooFit's or None where that is another thing))"""
    for cases in (interpolation_cases, constraint_cases, width_cases, convention_cases):
        yield from cases()


# --- densities over events -------------------------------------------------------------------------------------------

EVENTS = [0.3, 1.1, 1.7, 2.2, 2.4, 2.9, 3.1, 3.3, 4.6, 5.2, 7.5, 9.1]
LOW, HIGH = 0.0, 10.0
X = {"name": "x", "min": LOW, "max": HIGH}


def events(values=EVENTS, name="data_p", axis=X, **more):
    return {"name": name, "type": "unbinned", "axes": [axis], "entries": [[v] for v in values], **more}


def densities(distributions, parameters, data=None, package=None, **more):
    """The likelihood of the first distribution and its data."""
    data = [data or events()]
    pairs = [(distributions[0]["name"], data[0]["name"])]
    return document(distributions, data, parameters, package, pairs=pairs, variates={"x": (None, LOW, HIGH)}, **more)


def normal(x, mean, sigma, low=LOW, high=HIGH):
    """A Gaussian, normalised over the range."""
    return math.exp(-gauss(x, mean, sigma) - truncation(mean, sigma, low, high))


def falling(x, c):
    return c * math.exp(-c * x) / (math.exp(-c * LOW) - math.exp(-c * HIGH))


def minus_log(density, values=EVENTS, weights=None):
    return -math.fsum(w * math.log(density(v)) for v, w in zip(values, weights or [1.0] * len(values)))


def quadrature(f):
    return scipy.integrate.quad(f, LOW, HIGH, epsabs=0, epsrel=1e-13, limit=200)[0]


def density_cases():
    spec = "hs3.md, section 4"
    mean, sigma = {"m": (3.0, -5.0, 15.0)}, {"s": (1.5, 0.1, 10.0)}
    gaussian = {"name": "p", "type": "gaussian_dist", "x": "x", "mean": "m", "sigma": "s"}
    at = {"m": 2.8, "s": 1.9}
    nll = minus_log(lambda x: normal(x, **dict(mean=2.8, sigma=1.9)))
    yield "density/gaussian_dist", f"{spec}, eq. 1 and 25", densities([gaussian], mean | sigma), {}, at, (nll, nll)
    weights = [0.5, 1.5, -0.25, 2.0, *[1.0] * 8]
    weighted = minus_log(lambda x: normal(x, 2.8, 1.9), weights=weights)
    yield "density/weights", "hs3.md, eq. 41 (A31)", densities([gaussian], mean | sigma, events(weights=weights)), {}, at, (weighted, weighted)
    slope = {"c": (0.3, 0.01, 5.0)}
    exponential = {"name": "p", "type": "exponential_dist", "x": "x", "c": "c"}
    nll = minus_log(lambda x: falling(x, 0.27))
    yield "density/exponential_dist", f"{spec}, eq. 3 and 27", densities([exponential], slope), {}, {"c": 0.27}, (nll, nll)
    numbers = {"a1": (0.4, 0.0, 2.0), "a2": (0.05, 0.0, 1.0)}
    polynomial = {"name": "p", "type": "polynomial_dist", "x": "x", "coefficients": [1.0, "a1", "a2"]}
    whole = HIGH + 0.3 * HIGH**2 / 2 + 0.07 * HIGH**3 / 3
    nll = minus_log(lambda x: (1 + 0.3 * x + 0.07 * x * x) / whole)
    yield "density/polynomial_dist", f"{spec}, eq. 9 and 32", densities([polynomial], numbers), {}, {"a1": 0.3, "a2": 0.07}, (nll, nll)
    generic = {"name": "p", "type": "generic_dist", "expression": "exp(-c*x)*(1+sin(x)^2)"}
    shape = lambda x: math.exp(-0.27 * x) * (1 + math.sin(x) ** 2)
    total = quadrature(shape)
    nll = minus_log(lambda x: shape(x) / total)
    yield "density/generic_dist", "hs3.md, eq. 18, section 6", densities([generic], slope), {}, {"c": 0.27}, (nll, nll)
    peak, tail = gaussian | {"name": "peak"}, exponential | {"name": "tail"}
    fraction = {"f": (0.4, 0.0, 1.0)}
    mixed = {"name": "p", "type": "mixture_dist", "summands": ["peak", "tail"], "coefficients": ["f"], "extended": False}
    both = lambda a, b: lambda x: a * normal(x, 2.8, 1.9) + b * falling(x, 0.27)
    nll = minus_log(both(0.35, 0.65))
    yield "density/mixture_dist", "hs3.md, eq. 20", densities([mixed, peak, tail], mean | sigma | slope | fraction), {}, {**at, "c": 0.27, "f": 0.35}, (nll, nll)
    yields = {"n1": (5.0, 0.0, 50.0), "n2": (8.0, 0.0, 50.0)}
    extended = {"name": "p", "type": "mixture_dist", "summands": ["peak", "tail"], "coefficients": ["n1", "n2"], "extended": True}
    roofit = 4.2 + 9.1 + minus_log(both(4.2, 9.1))
    yield "density/extended", "hs3.md, eq. 41 and 42 (A10)", densities([extended, peak, tail], mean | sigma | slope | yields), {}, {**at, "c": 0.27, "n1": 4.2, "n2": 9.1}, (roofit + math.lgamma(len(EVENTS) + 1), roofit)
    constraint = {"name": "of_m", "type": "gaussian_dist", "x": "obs_of_m", "mean": "m", "sigma": 0.4}
    product = {"name": "p", "type": "product_dist", "factors": ["peak", "of_m"]}
    nll = minus_log(lambda x: normal(x, 2.8, 1.9)) + gauss(3.1, 2.8, 0.4)
    observed = {"obs_of_m": (3.1, -20.0, 20.0)}
    yield "density/constraint", "hs3.md, eq. 21 and 41", densities([product, peak, constraint], mean | sigma, constants=observed), {}, at, (nll, nll)
    bins_of_x = {"name": "data_p", "type": "binned", "axes": [X | {"nbins": 5}], "contents": [3.0, 5.0, 2.0, 1.0, 1.0]}
    centres = minus_log(lambda x: normal(x, 2.8, 1.9), [1.0, 3.0, 5.0, 7.0, 9.0], bins_of_x["contents"])
    yield "density/binned/root", "hs3.md, section 8 (D11)", densities([gaussian], mean | sigma, bins_of_x, ROOT), {}, at, (centres, centres)
    mass = lambda low, high: math.exp(truncation(2.8, 1.9, low, high) - truncation(2.8, 1.9, LOW, HIGH))
    # The probability of the bin of each event.
    integrals = -math.fsum(n * math.log(mass(2.0 * i, 2.0 * i + 2)) for i, n in enumerate(bins_of_x["contents"]))
    yield "density/binned/canonical", "hs3.md, section 8 (D11)", densities([gaussian], mean | sigma, bins_of_x), {}, at, (integrals, None)


def fit_case():
    """Yields that are all proportional: μ̂ = N/Σs − 2 with the width √N/Σs."""
    sr = channel("SR", [sample("background", [2 * s for s in SIGNAL]), sample("signal", SIGNAL, normfactor("mu"))])
    observed, unit = [25.0, 30.0], sum(SIGNAL)
    doc = document([sr], [counts("SR", observed)], MU)
    best = sum(observed) / unit
    nll = bins(observed, [best * s for s in SIGNAL])
    return doc, {"twice_nll": 2 * nll, "mle_parameters": {"mu": [best - 2]}, "uncertainties": {"mu": [math.sqrt(sum(observed)) / unit]}}


# --- documents with one fault each -----------------------------------------------------------------------------------


def edited(document, *edits):
    """A copy with values put at paths; a value of None takes the member away."""
    import copy

    document = copy.deepcopy(document)
    for path, value in edits:
        *parents, last = path
        place = document
        for key in parents:
            place = place[key]
        if value is None:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return document


def invalid_cases():
    """(id, chapter, document, input, valid, rule, class, pointers that may be named)"""
    good = codes(struct("mult_exp"), struct("add_poly6"))
    modifier = ["distributions", 0, "samples", 1, "modifiers"]
    at = "/distributions/0/samples/1/modifiers"
    yield "good", "hs3.md, section 1", good, {}, True, None, None, None
    yield "no_metadata", "hs3.md, section 1", edited(good, (["metadata"], None)), {}, True, "W401", "InvalidSpecification", [""]
    yield "no_samples", "hs3.md, section 1", edited(good, (["distributions", 0, "samples"], None)), {}, False, "W402", "InvalidSpecification", ["/distributions/0", "/distributions/0/samples"]
    yield "unknown_key", "hs3.md, section 1 (A33)", edited(good, (["distributions", 0, "colour"], "red")), {}, True, "W403", "UnknownKey", ["/distributions/0/colour"]
    yield "unknown_key/strict", "hs3.md, section 1 (A33)", edited(good, (["distributions", 0, "colour"], "red")), {"strict": True}, False, "W403", "UnknownKey", ["/distributions/0/colour"]
    yield "extension_key", "hs3.md, section 1", edited(good, (["distributions", 0, "own:colour"], "red")), {"strict": True}, True, None, None, None
    yield "unknown_type/needed", "hs3.md, section 1 (A33)", edited(good, (["distributions", 0], {"name": "SR", "type": "unheard_dist"})), {}, False, "W421", "UnknownType", None
    yield "unknown_type/unused", "hs3.md, section 1 (A33)", edited(good, (["distributions", 1], {"name": "unused", "type": "unheard_dist"})), {}, True, "W404", "UnknownType", ["/distributions/1/type", "/distributions/1"]
    unused = {"name": "unused", "type": "gaussian_dist", "x": "obs_SR", "mean": 0.0, "sigma": "1.0"}
    yield "numeric_string", "hs3.md, section 1 (A28)", edited(good, (["distributions", 1], unused)), {}, True, "W405", "NumericString", ["/distributions/1/sigma"]
    yield "same_name", "hs3.md, section 2", edited(good, (["data", 1], good["data"][0])), {}, False, "W408", "DuplicateName", None
    yield "no_such_distribution", "hs3.md, section 1", edited(good, (["likelihoods", 0, "distributions", 0], "CR")), {}, False, "W409", "UnresolvedReference", None
    circle = [{"name": n, "type": "product_dist", "factors": [m]} for n, m in (("SR", "b"), ("b", "SR"))]
    yield "circle", "hs3.md, section 1", edited(good, (["distributions"], circle)), {}, False, "W410", "CyclicReference", None
    yield "bins_of_data", "hs3.md, section 1", edited(good, (["data", 0, "contents"], [1.0, 2.0, 3.0])), {}, False, "W411", "AxisShape", None
    yield "huge_axis", "hs3.md, section 1", edited(good, (["data", 0, "axes", 0, "nbins"], 10**9)), {}, False, "W411", "AxisShape", None
    yield "edges_fall", "hs3.md, section 1", edited(good, (["data", 0, "axes", 0], {"name": "obs_SR", "edges": [0.0, 2.0, 1.0]})), {}, False, "W411", "AxisShape", None
    formula = lambda text: {"name": "f", "type": "generic_function", "expression": text}
    yield "expression", "hs3.md, section 3", edited(good, (["functions", 0], formula("mu +* 2"))), {}, False, "W412", "InvalidExpression", None
    yield "expression/deep", "hs3.md, section 3", edited(good, (["functions", 0], formula("(" * 5000 + "mu" + ")" * 5000))), {}, False, "W413", "DepthLimit", None
    yield "pairs", "hs3.md, eq. 41", edited(good, (["likelihoods", 0, "data"], [])), {}, False, "W415", "InvalidLikelihood", None
    yield "no_such_likelihood", "hs3-histfactory.md, section 1", good, {"measurement": "third"}, False, "W426", "UnknownLikelihood", None
    yield "constraint", "hs3-histfactory.md, section 3", edited(good, ([*modifier, 1, "constraint"], "Weibull")), {}, False, "W441", "InvalidConstraint", [f"{at}/1", f"{at}/1/constraint"]
    yield "interpolation", "hs3-histfactory.md, section 4", edited(good, ([*modifier, 1, "interpolation"], 9)), {}, False, "W442", "InvalidInterpolation", [f"{at}/1", f"{at}/1/interpolation"]
    one_bin = {"name": "data_SR", "type": "binned", "axes": [{"name": "obs_SR", "min": 0.0, "max": 2.0, "nbins": 1}], "contents": [70.0]}
    yield "other_bins", "hs3-histfactory.md, section 1", edited(good, (["data", 0], one_bin)), {}, False, "W444", "AxisShape", None
    staterror = scaled(gammas("staterror", "stat_SR", [1.0, 1.0])[0], {f"gamma_stat_SR_bin_{i}": GAMMA for i in range(2)}, errors=[3.0, 4.4])
    yield "staterror_without_type", "hs3-histfactory.md, section 3 (A4)", staterror, {}, True, "W445", "MissingConstraint", None
    yield "staterror_without_type/strict", "hs3-histfactory.md, section 3 (A4)", staterror, {"strict": True}, False, "W445", "MissingConstraint", None
