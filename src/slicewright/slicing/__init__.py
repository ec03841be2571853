"""Problem one: who offloads, through which access point, to which node, in which slice, with what share."""

from slicewright.slicing.certificate import Certificate, certify, lower_bound
from slicewright.slicing.decisions import Decisions
from slicewright.slicing.dual_prices import DualPrices
from slicewright.slicing.judge import MEANING, RULES, Times, Violations, evaluate
from slicewright.slicing.plan import Plan
from slicewright.slicing.plan_file import load_plan, save_plan
from slicewright.slicing.search import best_response, greedy, iterated_search
from slicewright.slicing.shares import (
    Shares,
    bandwidth_shares,
    compute_shares,
    equal_shares,
    optimal_shares,
    proportional_shares,
    radio_shares,
)

__all__ = [
    "MEANING",
    "RULES",
    "Certificate",
    "Decisions",
    "DualPrices",
    "Plan",
    "Shares",
    "Times",
    "Violations",
    "bandwidth_shares",
    "best_response",
    "certify",
    "compute_shares",
    "equal_shares",
    "evaluate",
    "greedy",
    "iterated_search",
    "load_plan",
    "lower_bound",
    "optimal_shares",
    "proportional_shares",
    "radio_shares",
    "save_plan",
]
