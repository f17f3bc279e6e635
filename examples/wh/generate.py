#!/usr/bin/env python3
"""Makes the files of this example: simulated W+ H events with EFT weights, and two documents that describe them.

The events are those of a toy with the physics that matters here: q qbar' -> W* -> W+(-> l nu) H at tree level, with the
operators O_HW = H^+H W^I_mn W^Imn and O_HWtilde = H^+H ~W^I_mn W^Imn of the Warsaw basis (arXiv:1008.4884).

**Amplitude.** With q the momentum of the W*, k that of the W and v = 246.22 GeV, the two operators add to the vertex
g^mn of the Standard Model

    a/mW^2 [ (q.k) g^mn - k^m q^n ] + b/mW^2 eps^{mnrs} q_r k_s,    a = 2 cHW v^2/L^2,  b = 2 cHWtil v^2/L^2

(general form of the HVV vertex: arXiv:1309.4819, eq. 1; shifts of masses and couplings are absorbed in their measured
values). Contracted with the polarisations of the W in the rest frame of W H, where the current of the quarks is a
spatial vector, E, p are energy and momentum of the W and s = q^2:

    h_0 = E/mW + a sqrt(s)/mW,       h_(+-) = 1 + a sqrt(s) E/mW^2 +- i b sqrt(s) p/mW^2.

**Angles.** Left-handed currents at both ends give (Jacob and Wick, Ann. Phys. 7 (1959) 404)

    M = sum_l h_l P_l(Theta) D_l(theta) e^{i l phi},   P_(+-) = (1 -+ cos Theta)/2,  P_0 = sin Theta/sqrt(2),
                                                       D_(+-) = (1 +- cos theta)/2,  D_0 = sin theta/sqrt(2),

Theta from the quark to the W; theta, phi those of the lepton in the rest frame of the W, whose y axis is the normal of
the plane of production. M is linear in the coefficients, so |M|^2 is a polynomial of six terms and never negative.

**Angular observable.** cos delta+ (arXiv:1409.5449): the cosine between the lepton in the rest frame of the W and
p_H x p_W, which is sin theta sin phi times the sign of the boost of the W H system. The Standard Model and the CP-even
operator are symmetric in it; the interference with the CP-odd one is antisymmetric and integrates to zero.
"""
import hashlib
import json
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
SEED = 20260731
M_W, M_H, V, LAMBDA, SQRT_S = 80.4, 125.1, 246.22, 1000.0, 13000.0
# About sigma(pp -> W+ H) BR(W -> e nu, mu nu) BR(H -> b bbar) at 13 TeV (arXiv:1610.07922), and an efficiency of the
# selection beyond the cuts below; 140/fb.
CROSS_SECTION_PB, EFFICIENCY, LUMINOSITY = 0.10, 0.25, 140.0
N_GENERATED = 13600
# The density of the simulated events: a mixture of these points (share, cHW, cHWtil).
MIXTURE = [(0.6, 0.0, 0.0), (0.1, 0.5, 0.0), (0.1, -0.5, 0.0), (0.1, 0.0, 0.5), (0.1, 0.0, -0.5)]
MONOMIALS = [[], ["cHW"], ["cHWtil"], ["cHW", "cHW"], ["cHW", "cHWtil"], ["cHWtil", "cHWtil"]]
COLUMNS = ["w_1", "w_cHW", "w_cHWtil", "w_cHW_cHW", "w_cHW_cHWtil", "w_cHWtil_cHWtil"]
PT_EDGES = [75.0, 150.0, 250.0, 400.0, 600.0, "inf"]
ANGLE_EDGES = [-1.0, -0.5, 0.0, 0.5, 1.0]


def helicity_amplitudes(s):
    """h[term][helicity -, 0, +]: the terms are those of 1, cHW and cHWtil."""
    root_s = np.sqrt(s)
    energy = (s + M_W**2 - M_H**2) / (2 * root_s)
    momentum = np.sqrt(energy**2 - M_W**2)
    per_unit = 2 * V**2 / LAMBDA**2
    even, odd = per_unit * root_s * energy / M_W**2, per_unit * root_s * momentum / M_W**2
    one, zero = np.ones_like(s) + 0j, np.zeros_like(s) + 0j
    return [
        [one, energy / M_W + 0j, one],
        [even + 0j, per_unit * root_s / M_W + 0j, even + 0j],
        [-1j * odd, zero, 1j * odd],
    ]


def coefficients(parts):
    """The six coefficients of |sum_i c_i parts_i|^2, last axis; parts are summed over what is in their last axis."""
    product = lambda i, j: sum((a * np.conj(b)).real for a, b in zip(parts[i], parts[j]))
    pairs = [(0, 0, 1), (0, 1, 2), (0, 2, 2), (1, 1, 1), (1, 2, 2), (2, 2, 1)]
    return np.stack([factor * product(i, j) for i, j, factor in pairs], axis=-1)


def monomials(c_even, c_odd):
    return np.array([1.0, c_even, c_odd, c_even**2, c_even * c_odd, c_odd**2])


def squared_amplitude(s, cos_production, cos_decay, phi):
    """Coefficients of |M|^2; one row an event."""
    sin_production, sin_decay = np.sqrt(1 - cos_production**2), np.sqrt(1 - cos_decay**2)
    angles = [
        (1 + cos_production) / 2 * (1 - cos_decay) / 2 * np.exp(-1j * phi),
        sin_production * sin_decay / 2,
        (1 - cos_production) / 2 * (1 + cos_decay) / 2 * np.exp(1j * phi),
    ]
    return coefficients([[sum(h * a for h, a in zip(term, angles))] for term in helicity_amplitudes(s)])


class Partons:
    """Toy densities x q(x) ~ x^0.6 (1-x)^3.5 and x qbar(x) ~ x^-0.2 (1-x)^7: a valence quark and a sea antiquark."""

    def __init__(self):
        self.s = np.exp(np.linspace(2 * np.log(M_W + M_H + 0.1), 2 * np.log(3500.0), 2001))
        self.u = np.linspace(-1, 1, 401)
        rapidity = 0.5 * np.log(SQRT_S**2 / self.s)[:, None] * self.u
        x_quark, x_anti = (np.sqrt(self.s)[:, None] / SQRT_S * np.exp(sign * rapidity) for sign in (1, -1))
        clip = lambda x: np.clip(1 - x, 0, None)
        self.density = x_quark**0.6 * clip(x_quark) ** 3.5 * x_anti**-0.2 * clip(x_anti) ** 7
        luminosity = self.density.mean(axis=1) * np.log(SQRT_S**2 / self.s) / self.s
        momentum = (self.s + M_W**2 - M_H**2) ** 2 / (4 * self.s) - M_W**2
        flux = luminosity * np.sqrt(momentum / self.s) / (self.s - M_W**2) ** 2
        # Averaged over all angles the helicities do not interfere and each weighs 1/9.
        averaged = coefficients(helicity_amplitudes(self.s)) / 9
        self.in_log_s = flux[:, None] * averaged * self.s[:, None]
        self.cross_section = np.trapezoid(self.in_log_s, np.log(self.s), axis=0)

    def draw_s(self, point, rng, size):
        weight = self.in_log_s @ monomials(*point)
        cumulative = np.concatenate([[0], np.cumsum(0.5 * (weight[1:] + weight[:-1]))])
        return np.exp(np.interp(rng.random(size) * cumulative[-1], cumulative, np.log(self.s)))

    def draw_boost(self, s, rng):
        """The sign of the boost along the quark."""
        row = np.clip(np.searchsorted(self.s, s), 0, len(self.s) - 1)
        forward = self.density[row][:, self.u > 0].sum(axis=1)
        backward = self.density[row][:, self.u < 0].sum(axis=1)
        return np.where(rng.random(len(s)) * (forward + backward) < forward, 1.0, -1.0)


def draw_angles(s, point, rng):
    """cos Theta, cos theta, phi from |M|^2 at a point of the coefficients, by rejection."""
    angles = np.empty((len(s), 3))
    todo = np.arange(len(s))
    amplitudes = helicity_amplitudes(s)
    total = [sum(c * term[l] for c, term in zip((1, *point), amplitudes)) for l in range(3)]
    bound = (abs(total[0]) + abs(total[1]) / 2 + abs(total[2])) ** 2
    while len(todo):
        trial = rng.uniform(-1, 1, (len(todo), 3)) * [1, 1, np.pi]
        value = squared_amplitude(s[todo], *trial.T) @ monomials(*point)
        accepted = rng.random(len(todo)) * bound[todo] < value
        angles[todo[accepted]] = trial[accepted]
        todo = todo[~accepted]
    return angles


def simulate():
    rng = np.random.default_rng(SEED)
    partons = Partons()
    component = rng.choice(len(MIXTURE), N_GENERATED, p=[share for share, *_ in MIXTURE])
    s, angles = np.empty(N_GENERATED), np.empty((N_GENERATED, 3))
    for index, (_, *point) in enumerate(MIXTURE):
        own = component == index
        s[own] = partons.draw_s(point, rng, own.sum())
        angles[own] = draw_angles(s[own], point, rng)
    squared = squared_amplitude(s, *angles.T)
    # Each event stands for the cross section divided by the density of the whole mixture at its place.
    density = sum(
        share * (squared @ monomials(*point)) / (partons.cross_section @ monomials(*point))
        for share, *point in MIXTURE
    )
    scale = CROSS_SECTION_PB * EFFICIENCY / partons.cross_section[0] / N_GENERATED
    weights = scale * squared / density[:, None]
    return measure(s, angles, partons.draw_boost(s, rng), weights, rng)


def measure(s, angles, boost, weights, rng):
    """Cuts on the lepton and the neutrino, then the observables as a detector might see them."""
    cos_production, cos_decay, phi = angles.T
    sin_production, sin_decay = np.sqrt(1 - cos_production**2), np.sqrt(1 - cos_decay**2)
    energy = (s + M_W**2 - M_H**2) / (2 * np.sqrt(s))
    momentum = np.sqrt(energy**2 - M_W**2)
    transverse = []
    for sign in (1, -1):
        x = sign * M_W / 2 * sin_decay * np.cos(phi)
        y = sign * M_W / 2 * sin_decay * np.sin(phi)
        z = energy / M_W * sign * M_W / 2 * cos_decay + momentum / 2
        transverse.append(np.hypot(x * cos_production + z * sin_production, y))
    pt = momentum * sin_production * (1 + 0.08 * rng.standard_normal(len(s)))
    delta = np.arccos(np.clip(boost * sin_decay * np.sin(phi), -1, 1)) + 0.1 * rng.standard_normal(len(s))
    kept = (transverse[0] > 25) & (transverse[1] > 30) & (pt >= PT_EDGES[0])
    return pt[kept], np.cos(delta[kept]), weights[kept]


def write_events(pt, cos_delta, weights):
    columns = {"pTW": pt.astype(np.float32), "cosdelta": cos_delta.astype(np.float32)}
    columns |= {name: weights[:, k] for k, name in enumerate(COLUMNS)}
    path = HERE / "events.parquet"
    pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=False)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def histogram(pt, cos_delta, weights, with_angle):
    """Summed weights in the bins, the last axis running fastest."""
    pt = pt.astype(np.float32).astype(float)
    cos_delta = cos_delta.astype(np.float32).astype(float)
    row = np.searchsorted([*PT_EDGES[1:-1]], pt, side="right")
    column = np.searchsorted(ANGLE_EDGES[1:-1], cos_delta, side="right")
    n_columns = len(ANGLE_EDGES) - 1
    bins = np.zeros((len(PT_EDGES) - 1, n_columns))
    np.add.at(bins, (row, column), weights)
    return (bins if with_angle else bins.sum(axis=1)).ravel()


def background(with_angle):
    """A falling spectrum, flat in the angle, and its shape when the slope is wrong."""
    spectrum = np.array([600.0, 220.0, 52.0, 8.0, 1.6])
    tilt = np.array([-0.06, 0.0, 0.06, 0.12, 0.18])
    templates = [spectrum, spectrum * (1 - tilt), spectrum * (1 + tilt)]
    if with_angle:
        templates = [np.repeat(t / (len(ANGLE_EDGES) - 1), len(ANGLE_EDGES) - 1) for t in templates]
    return [[float(f"{x:.6g}") for x in t] for t in templates]


def document(pt, cos_delta, weights, sha256, with_angle):
    signal = histogram(pt, cos_delta, LUMINOSITY * 1000.0 * weights[:, 0], with_angle).tolist()
    nominal, lo, hi = background(with_angle)
    axes = [{"observable": "pTW", "edges": PT_EDGES}]
    observables = {"pTW": {"column": "pTW", "unit": "GeV"}}
    if with_angle:
        axes.append({"observable": "cosdelta", "edges": ANGLE_EDGES})
        observables["cosdelta"] = {"column": "cosdelta", "unit": "1"}
    events = {
        "database": "WH", "axes": axes, "underflow": "error", "overflow": "error", "truncation": "none",
        "mc_stat": "w2",
    }
    luminosity = {"name": "luminosity", "type": "normsys", "data": {"lo": 0.983, "hi": 1.017}}
    samples = [
        {"name": "WH", "data": signal, "modifiers": [
            {"name": "WH_events", "type": "eft_events", "data": events}, luminosity,
            {"name": "WH_theory", "type": "normsys", "data": {"lo": 0.97, "hi": 1.03}},
        ]},
        {"name": "background", "data": nominal, "modifiers": [
            luminosity, {"name": "background_norm", "type": "normsys", "data": {"lo": 0.95, "hi": 1.05}},
            {"name": "background_slope", "type": "histosys", "data": {"lo_data": lo, "hi_data": hi}},
        ]},
    ]
    # The data are what the Standard Model predicts in the finer bins, in whole events.
    fine = histogram(pt, cos_delta, LUMINOSITY * 1000.0 * weights[:, 0], True) + np.array(background(True)[0])
    observed = np.rint(fine)
    if not with_angle:
        observed = observed.reshape(len(PT_EDGES) - 1, -1).sum(axis=1)
    database = {
        "name": "WH", "uri": "events.parquet", "sha256": sha256,
        "media_type": "application/vnd.apache.parquet", "n_rows": len(pt),
        "weights": {"kind": "coefficients", "monomials": MONOMIALS, "columns": COLUMNS},
        "observables": observables,
        "normalisation": {"kind": "absolute", "luminosity": LUMINOSITY, "luminosity_unit": "1/fb", "weight_unit": "pb"},
        "positivity": "require", "helicity": "summed",
    }
    return {
        "channels": [{"name": "SR", "samples": samples}],
        "observations": [{"name": "SR", "data": observed.tolist()}],
        "measurements": [{"name": "WH", "config": {"poi": "cHWtil", "parameters": []}}],
        "version": "1.0.0",
        "eft": {
            "version": "0.1.0",
            "basis": {"eft": "SMEFT", "basis": "Warsaw", "Lambda_TeV": LAMBDA / 1000, "input_scheme": "MW_MZ_GF"},
            "wilson_coefficients": [
                {"name": "cHW", "bounds": [-1.5, 1.5], "wcxf": "phiW"},
                {"name": "cHWtil", "bounds": [-1.5, 1.5], "wcxf": "phiWtilde"},
            ],
            "event_databases": [database],
        },
    }


def main():
    pt, cos_delta, weights = simulate()
    sha256 = write_events(pt, cos_delta, weights)
    for name, with_angle in [("pt.json", False), ("pt_angle.json", True)]:
        text = json.dumps(document(pt, cos_delta, weights, sha256, with_angle), indent=1)
        (HERE / name).write_text(text + "\n")


if __name__ == "__main__":
    main()
