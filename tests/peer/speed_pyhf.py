"""pyhf with jax as a rival in speed: compiled twice_nll, value and gradient, warm fits by SLSQP and by iminuit."""

import sys
from pathlib import Path

import peer_pyhf
import speed_block

import jax
import pyhf

ONCE_ABOVE_S = 20


def main():
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(Path(sys.argv[1]))
    start, low, high, _ = peer_pyhf.arrays(model)
    peer_pyhf.use("jax")
    tensor = pyhf.tensorlib.astensor(data)
    observations = data.tolist()

    def objective(point):
        return -2 * model.logpdf(point, tensor)[0]

    value, both = jax.jit(objective), jax.jit(jax.value_and_grad(objective))
    points = [pyhf.tensorlib.astensor(point) for point in speed_block.moved(start.tolist(), low, high)]

    def fit(optimizer):
        pyhf.set_backend("jax", optimizer, precision="64b")
        return float(pyhf.infer.mle.fit(observations, model, return_fitted_val=True)[1])

    for point in points:
        value(point).block_until_ready()
        both(point)[1].block_until_ready()
    optimizers = {"scipy": "jax SLSQP", "minuit": "jax iminuit"}
    usable = {optimizer: speed_block.guarded(lambda: fit(optimizer)) for optimizer in optimizers}

    final = {name: usable[optimizer] for optimizer, name in optimizers.items() if isinstance(usable[optimizer], dict)}

    def fit_round(optimizer, name):
        """One timing; a fit that fails or takes very long is not repeated in later rounds."""
        if name not in final:
            result = speed_block.guarded(lambda: speed_block.timed_fit(lambda: fit(optimizer)))
            if "failed" not in result and result["seconds"] < ONCE_ABOVE_S:
                return result
            final[name] = result
        return final[name]

    def measure():
        fits = {name: fit_round(optimizer, name) for optimizer, name in optimizers.items()}
        return {
            "value": {"jax": speed_block.seconds_per_call(lambda point: value(point).block_until_ready(), points)},
            "gradient": {"jax": speed_block.seconds_per_call(lambda point: both(point)[1].block_until_ready(), points)},
            "fit": fits,
        }

    about = {"version": pyhf.__version__, "start": float(value(pyhf.tensorlib.astensor(start)))}
    speed_block.serve(about, measure)


if __name__ == "__main__":
    main()
