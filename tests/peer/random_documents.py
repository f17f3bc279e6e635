"""Seeded random workspaces: small, with names whose order matters, every modifier type, and every odd corner that pyhf
lets pass. About one in four gets a twist, most of which make it unsound."""

import random

NAMES = ["b", "B", "a", "Z", "é", "β", "日本", "𝒳", "ﬀ", "s[0]", "s", "a[0]", "00", "_", "", " ", "x\ny", "A/B", '"q"', "mu "]
SYSTEMATICS = ["θ", "JES", "jes", "t[0]", "t", "_0", "Σ"]
FACTORS = ["mu", "k", "k[0]", "µ", "norm"]
SHAPEFACTORS = ["sf", "sf[1]", "dd"]
CODES = [("code4", "code4p"), ("code1", "code0"), ("code4", "code2")]


class Maker:
    """Draws one workspace; `twist` names what was done to it, None where nothing was."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.twist = None
        self.with_lumi = self.chance(0.3)
        self.scale = self.draw.choice([1.0, 1.0, 10.0, 100.0, 0.1, 1e5])
        self.n_shapesys = 0

    def chance(self, probability):
        return self.draw.random() < probability

    def names(self, count):
        return self.draw.sample(NAMES, count)

    def yield_(self):
        if self.chance(0.1):
            return self.draw.choice([0, 0.0, 1e-9])
        value = self.draw.uniform(0.1, 10) * self.scale
        return max(1, round(value)) if self.chance(0.3) else value

    def workspace(self):
        names = self.names(self.draw.choice([1, 1, 2, 2, 3, 4]))
        bins = [self.draw.randint(1, 5) for _ in names]
        samples = self.names(self.draw.randint(1, 4))
        channels = [self.channel(name, count, samples) for name, count in zip(names, bins)]
        self.add_staterrors(channels)
        if not any(modifiers_of(channels)):
            channels[0]["samples"][0]["modifiers"].append({"name": "mu", "type": "normfactor", "data": None})
        if self.draw.random() < 0.85:
            shorten_no_shapefactor(channels)
        observations = [{"name": name, "data": [self.count() for _ in range(n)]} for name, n in zip(names, bins)]
        self.draw.shuffle(observations)
        measurements = [self.measurement(f"m{i}", channels) for i in range(self.draw.choice([1, 1, 2, 3]))]
        document = {"channels": channels, "observations": observations, "measurements": measurements, "version": "1.0.0"}
        if self.chance(0.25):
            self.twist = self.draw.choice(TWISTS).__name__
            globals()[self.twist](self.draw, document)
        return document

    def count(self):
        if self.chance(0.15):
            return self.draw.choice([0, 0.0])
        value = self.draw.uniform(0, 25) * self.scale
        return round(value) if self.chance(0.7) else value

    def channel(self, name, bins, samples):
        chosen = [s for s in samples if self.chance(0.75)] or samples[:1]
        return {"name": name, "samples": [self.sample(s, bins) for s in chosen]}

    def sample(self, name, bins):
        data = [self.yield_() for _ in range(bins)]
        modifiers, used = [], set()
        for _ in range(self.draw.randint(0, 4)):
            modifier = self.modifier(data)
            if (modifier["name"], modifier["type"]) not in used:
                used.add((modifier["name"], modifier["type"]))
                modifiers.append(modifier)
        if self.with_lumi and self.chance(0.6):
            modifiers.insert(0, {"name": "lumi", "type": "lumi", "data": None})
        return {"name": name, "data": data, "modifiers": modifiers}

    def modifier(self, data):
        kind = self.draw.choice(["histosys", "histosys", "normsys", "normsys", "normfactor", "shapefactor", "shapesys"])
        if kind in ("histosys", "normsys"):
            name = self.draw.choice(SYSTEMATICS)
            return {"name": name, "type": kind, "data": self.histosys(data) if kind == "histosys" else self.normsys()}
        if kind == "shapesys":
            self.n_shapesys += 1
            name = f"{self.draw.choice(['z', 'A', 'é'])}ss{self.n_shapesys}"
            return {"name": name, "type": kind, "data": [self.uncertainty(n) for n in data]}
        name = self.draw.choice(FACTORS if kind == "normfactor" else SHAPEFACTORS)
        return {"name": name, "type": kind, "data": None}

    def histosys(self, data):
        def varied():
            style = self.draw.choice(["usual", "usual", "usual", "equal", "zero", "negative"])
            if style == "equal":
                return list(data)
            if style == "zero":
                return [0 for _ in data]
            if style == "negative":
                return [self.draw.uniform(-1, 1) * max(1, n) for n in data]
            return [n * self.draw.uniform(0.7, 1.3) for n in data]

        return {"lo_data": varied(), "hi_data": varied()}

    def normsys(self):
        pairs = [(0.9, 1.1), (1, 1), (1.0, 1.2), (0.8, 1), (0.2, 3), (1.1, 1.1), (0.7, 0.9), (1e-3, 2), (0.95, 40)]
        lo, hi = self.draw.choice(pairs + [(self.draw.uniform(0.7, 1.1), self.draw.uniform(0.9, 1.3))] * 6)
        return {"lo": lo, "hi": hi}

    def uncertainty(self, nominal):
        if self.chance(0.12):
            return self.draw.choice([0, 0.0])
        return self.draw.choice([0.05, 0.1, 0.3, 1]) * max(nominal, 0.5 if nominal == 0 else 0) * self.draw.uniform(0.5, 1.5)

    def add_staterrors(self, channels):
        """One name for each of some channels, or one for all channels, carried by the same samples in each."""
        if self.chance(0.15):
            shared = set.intersection(*({s["name"] for s in c["samples"]} for c in channels))
            for channel in channels:
                self.staterror(channel, "stat", shared)
            return
        for index, channel in enumerate(channels):
            if self.chance(0.5):
                self.staterror(channel, f"st{'zAé_'[index]}", {s["name"] for s in channel["samples"] if self.chance(0.8)})

    def staterror(self, channel, name, carriers):
        for sample in channel["samples"]:
            if sample["name"] in carriers:
                data = [self.uncertainty(n) for n in sample["data"]]
                place = self.draw.randint(0, len(sample["modifiers"]))
                sample["modifiers"].insert(place, {"name": name, "type": "staterror", "data": data})

    def measurement(self, name, channels):
        sets = parameter_sets(channels)
        configs = [self.config(*item) for item in sets.items() if item[1][0] == "lumi" or self.chance(0.3)]
        if self.chance(0.1):
            configs.append({"name": "unused", "inits": [1], "fixed": True})
        self.draw.shuffle(configs)
        scalars = [key for key, (kind, _) in sets.items() if kind in ("normfactor", "normsys", "histosys")]
        poi = self.draw.choice(scalars) if scalars and self.chance(0.9) else ""
        return {"name": name, "config": {"poi": poi, "parameters": configs}}

    def config(self, name, kind_and_length):
        kind, length = kind_and_length
        config, lumi = {"name": name}, kind == "lumi"
        gaussian_zero = kind in ("histosys", "normsys")
        middle = 0.0 if gaussian_zero else 1.0
        if lumi or self.chance(0.5):
            config["inits"] = [self.draw.choice([1, middle, middle + self.draw.uniform(-0.3, 0.3)]) for _ in range(length)]
        if lumi or self.chance(0.4):
            low = self.draw.choice([-3, -10.0]) if gaussian_zero else self.draw.choice([0, 1e-3, -1.0, 0.5])
            config["bounds"] = [[low, self.draw.choice([3, 7.5, 1.5])] for _ in range(length)]
        if lumi or (kind not in ("normfactor", "shapefactor") and self.chance(0.3)):
            config["auxdata"] = [self.draw.choice([1, 0.5, 1.02, 0]) for _ in range(length)]
        if lumi and self.chance(0.9) or kind == "staterror" and self.chance(0.3):
            config["sigmas"] = [self.draw.choice([0.02, 0.1, 1]) for _ in range(length)]
        if kind == "shapesys" and self.chance(0.3):
            config["factors"] = [self.draw.choice([10, 3.5, 400.0]) for _ in range(length)]
        if self.chance(0.3):
            config["fixed"] = self.draw.choice([True, True, False]) if kind in ("shapesys", "staterror") else self.chance(0.5)
        return config


def modifiers_of(channels):
    """(channel, sample, modifier) in pyhf's walk."""
    for channel in sorted(channels, key=lambda c: c["name"]):
        for sample in sorted(channel["samples"], key=lambda s: s["name"]):
            for modifier in sorted(sample["modifiers"], key=lambda m: (m["name"], m["type"])):
                yield channel, sample, modifier


def parameter_sets(channels):
    """Type and length of each parameter set by name."""
    sets, stat_channels = {}, {}
    for channel, sample, modifier in modifiers_of(channels):
        kind, bins = modifier["type"], len(sample["data"])
        if kind == "staterror":
            stat_channels.setdefault(modifier["name"], {})[channel["name"]] = bins
        sets.setdefault(modifier["name"], (kind, bins if kind.startswith("shape") else 1))
    for name, bins in stat_channels.items():
        sets[name] = ("staterror", sum(bins.values()))
    return sets


def shorten_no_shapefactor(channels):
    """Drops shapefactors from channels with more bins than the first that carries the name."""
    lengths = parameter_sets(channels)
    for _, sample, modifier in list(modifiers_of(channels)):
        if modifier["type"] == "shapefactor" and len(sample["data"]) > lengths[modifier["name"]][1]:
            modifier.update(name=f"own {len(sample['data'])}")


def _any_modifier(draw, document):
    return draw.choice(list(modifiers_of(document["channels"])))


def _any_config(draw, document):
    configs = [c for c in document["measurements"][0]["config"]["parameters"]]
    return draw.choice(configs) if configs else {}


def duplicate_modifier(draw, document):
    _, sample, modifier = _any_modifier(draw, document)
    data = modifier["data"]
    if modifier["type"] == "normsys":
        data = {"lo": 0.85, "hi": 1.25}
    elif isinstance(data, list):
        data = [0.3 + value for value in data]
    sample["modifiers"].insert(draw.randint(0, len(sample["modifiers"])), {**modifier, "data": data})


def clash_of_types(draw, document):
    first, second = _any_modifier(draw, document)[2], _any_modifier(draw, document)[2]
    second["name"] = first["name"]


def moved_staterror(draw, document):
    _, sample, _ = _any_modifier(draw, document)
    sample["modifiers"].append({"name": "stat", "type": "staterror", "data": [0.1] * len(sample["data"])})


def long_modifier(draw, document):
    data = _any_modifier(draw, document)[2]["data"]
    for values in [data] if isinstance(data, list) else data.values() if isinstance(data, dict) else []:
        if isinstance(values, list):
            values.append(1.0)
            return


def long_sample(draw, document):
    draw.choice(draw.choice(document["channels"])["samples"])["data"].append(1.0)


def long_observation(draw, document):
    draw.choice(document["observations"])["data"].append(1)


def lost_observation(draw, document):
    document["observations"].pop()


def spare_observation(draw, document):
    document["observations"].insert(0, {"name": "nowhere", "data": [3]})


def negative_observation(draw, document):
    draw.choice(document["observations"])["data"][0] = -1


def repeated_config(draw, document):
    configs = document["measurements"][0]["config"]["parameters"]
    configs += configs[:1]


def long_config(draw, document):
    config = _any_config(draw, document)
    for key in ("inits", "bounds", "auxdata", "sigmas", "factors"):
        if key in config:
            config[key] = config[key] * 2
            return


def foreign_key(draw, document):
    config = _any_config(draw, document)
    if config:
        config[draw.choice(["sigmas", "factors", "auxdata"])] = draw.choice([[1.0], [1.0] * 9])


def no_lumi_key(draw, document):
    for config in document["measurements"][0]["config"]["parameters"]:
        if config["name"] == "lumi":
            del config[draw.choice([key for key in config if key != "name"])]


def unknown_poi(draw, document):
    document["measurements"][0]["config"]["poi"] = "nobody"


def freed(draw, document):
    config = _any_config(draw, document)
    if config:
        config["fixed"] = False


def no_modifier(draw, document):
    for channel in document["channels"]:
        for sample in channel["samples"]:
            sample["modifiers"] = []


def odd_number(draw, document):
    """Numbers that no likelihood can use, though pyhf does not look."""
    data, config = _any_modifier(draw, document)[2]["data"], _any_config(draw, document)
    if isinstance(data, dict) and "lo" in data:
        data[draw.choice(["lo", "hi"])] = draw.choice([0, -0.5])
    elif isinstance(data, list):
        data[0] = draw.choice([-1, 1e-200])
    for key, value in (("sigmas", 0), ("factors", 0), ("auxdata", -2), ("bounds", [2, 1]), ("bounds", [1])):
        if key in config and draw.random() < 0.3:
            config[key][0] = value


def wrong_schema(draw, document):
    draw.choice([lambda: document.pop("version"), lambda: document["channels"][0].pop("samples"),
                 lambda: document["measurements"][0]["config"].pop("poi"), lambda: document.update(extra=1)])()


TWISTS = [duplicate_modifier] * 4 + [clash_of_types] * 3 + [moved_staterror, long_modifier, long_sample, long_observation,
          lost_observation, spare_observation, negative_observation, repeated_config, long_config, foreign_key,
          no_lumi_key, unknown_poi, freed, freed, odd_number, odd_number, no_modifier, wrong_schema]
