"""Writes histeft.npz, as NumPy packs it, and histeft.parquet: two bins in two coefficients. The same once more in Fortran
order, float32 and byte strings. The order of the products is that of the lower triangle."""

import pathlib

import numpy as np
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
rows = np.array([[8.0, 1.5, 0.5, -2.25, 0.75, 1.0], [3.0, -0.5, 2.0, 0.25, -1.5, 4.0]])
np.savez(HERE / "histeft.npz", wc_names=np.array(["ctW", "ctp"]), eft_coeff=rows, edges=np.array([0.0, 1.0, 2.0]))
np.savez_compressed(
    HERE / "histeft_other_types.npz",
    wc_names=np.array([b"ctW", b"ctp"]),
    eft_coeff=np.asfortranarray(rows.astype(np.float32)),
)
np.savez(HERE / "objects.npz", wc_names=np.array(["ctW", "ctp"], dtype=object), eft_coeff=rows)
columns = {f"eft_coeff_{k}": rows[:, k] for k in range(rows.shape[1])} | {"bin": np.arange(2)}
pyarrow.parquet.write_table(pyarrow.table(columns), HERE / "histeft.parquet")
