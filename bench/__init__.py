"""What the kernel is measured with: networks of any size, other solvers, and the runs that compare them."""

from bench.chains import Case, Shock, friendly, synthetic

__all__ = ["Case", "Shock", "friendly", "synthetic"]
