"""Writes histeft.npz, as NumPy packs it: two bins in two coefficients, and the same once more in Fortran order,
float32 and byte strings. The names of the products are those of the lower triangle."""

import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
rows = np.array([[8.0, 1.5, 0.5, -2.25, 0.75, 1.0], [3.0, -0.5, 2.0, 0.25, -1.5, 4.0]])
np.savez(HERE / "histeft.npz", wc_names=np.array(["ctW", "ctp"]), eft_coeff=rows, edges=np.array([0.0, 1.0, 2.0]))
np.savez_compressed(
    HERE / "histeft_other_types.npz",
    wc_names=np.array([b"ctW", b"ctp"]),
    eft_coeff=np.asfortranarray(rows.astype(np.float32)),
)
np.savez(HERE / "objects.npz", wc_names=np.array(["ctW", "ctp"], dtype=object), eft_coeff=rows)
