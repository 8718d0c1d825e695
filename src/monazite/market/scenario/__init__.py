"""Shocks and instruments: small frozen dataclasses that say what changes in the market, and nothing else."""

from monazite.market.scenario.border_duty import BorderDuty
from monazite.market.scenario.contract_for_difference import ContractForDifference
from monazite.market.scenario.demand_surge import DemandSurge
from monazite.market.scenario.export_control import Control, ExportControl, registered
from monazite.market.scenario.limits import Limits, limits
from monazite.market.scenario.outage import Outage
from monazite.market.scenario.price_floor import PriceFloor
from monazite.market.scenario.tariff import Tariff
from monazite.market.scenario.window import Shock, Window

__all__ = [
    "BorderDuty",
    "ContractForDifference",
    "Control",
    "DemandSurge",
    "ExportControl",
    "Limits",
    "Outage",
    "PriceFloor",
    "Shock",
    "Tariff",
    "Window",
    "limits",
    "registered",
]
