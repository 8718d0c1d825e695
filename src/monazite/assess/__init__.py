"""Floor 3, assess: how far a production hangs on one state, at each step of each chain."""

from monazite.assess.context import MEASURES
from monazite.assess.explanation import Explanation
from monazite.assess.result import Assessment
from monazite.assess.verb import METHOD, assess

__all__ = ["MEASURES", "METHOD", "Assessment", "Explanation", "assess"]
