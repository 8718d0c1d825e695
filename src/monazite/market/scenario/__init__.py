"""Shocks and instruments: small frozen dataclasses that say what changes in the market, and nothing else."""

from monazite.market.scenario.export_control import Control, ExportControl, registered
from monazite.market.scenario.limits import Limits, limits

__all__ = ["Control", "ExportControl", "Limits", "limits", "registered"]
