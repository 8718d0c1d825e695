"""What the kernel is measured with: networks of any size, other solvers, and the runs that compare them."""

import os

# one thread everywhere: set before the libraries that read it are loaded
for _name in ("OPENBLAS", "OMP", "MKL", "NUMBA", "RAYON", "POLARS"):
    os.environ.setdefault(f"{_name}_{'MAX' if _name == 'POLARS' else 'NUM'}_THREADS", "1")

from bench.chains import Case, Shock, friendly, synthetic  # noqa: E402

__all__ = ["Case", "Shock", "friendly", "synthetic"]
