"""pyhf with jax as a rival in the speed of CLs with its band: warm, by SLSQP with jax's gradient."""

import sys
import time
from pathlib import Path

import peer_pyhf
import speed_block

import pyhf


def main():
    peer_pyhf.use("numpy")
    model, data = peer_pyhf.load(Path(sys.argv[1]))
    peer_pyhf.use("jax")
    observations = data.tolist()

    def cls():
        obs, band = pyhf.infer.hypotest(1.0, observations, model, return_expected_set=True)
        return [float(obs), *map(float, band)]

    def timed():
        began = time.process_time()
        value = cls()
        return {"seconds": time.process_time() - began, "value": value}

    warm = speed_block.guarded(timed)
    speed_block.serve({"version": pyhf.__version__, "start": None, "warm": warm}, lambda: {"cls": speed_block.guarded(timed)})


if __name__ == "__main__":
    main()
