"""How a network clears: the problem, the kernel that solves it, and what the answer proves about itself."""

from monazite.market.certificate import Certificate
from monazite.market.contingent import Settled, fixed_point
from monazite.market.kernel import clear
from monazite.market.problem import Clearing, Problem
from monazite.market.reference import solve_reference

__all__ = ["Certificate", "Clearing", "Problem", "Settled", "clear", "fixed_point", "solve_reference"]
