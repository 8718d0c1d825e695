"""Floor 1, the network: what the facts mean. Build, reconcile, calibrate; annual and by month."""

from monazite.network.load import load, toy
from monazite.network.monthly import Cohort, Layout, layout
from monazite.network.network import Network, from_facts, static_arrays

__all__ = ["Cohort", "Layout", "Network", "from_facts", "layout", "load", "static_arrays", "toy"]
