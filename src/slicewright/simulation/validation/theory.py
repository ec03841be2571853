"""What queueing theory says of the queues that the simulator has, in the units of its arguments (s, 1/s)."""

from __future__ import annotations

import numpy as np

from slicewright.types import FloatArray


def mm1_sojourn_s(service_hz: float, arrival_hz: float) -> float:
    """Mean time in an M/M/1 queue, s: 1 / (mu - lambda)."""
    return 1.0 / (service_hz - arrival_hz)


def mm1_quantile_s(service_hz: float, arrival_hz: float, part: float) -> float:
    """Time that this part of the tasks of an M/M/1 queue do not exceed, s: sojourn times are exponential."""
    return float(-np.log1p(-part) / (service_hz - arrival_hz))


def mg1_sojourn_s(service_hz: float, arrival_hz: float, squared_variation: float) -> float:
    """Mean time in an M/G/1 queue, s (Pollaczek and Khinchine).

    Args:
        service_hz: 1 / mean service time.
        arrival_hz: of Poisson arrivals.
        squared_variation: variance of the service time over its squared mean.
    """
    load = arrival_hz / service_hz
    return (1.0 + 0.5 * load * (1.0 + squared_variation) / (1.0 - load)) / service_hz


def shared_queue_sojourn_s(service_hz: FloatArray, arrival_hz: FloatArray) -> FloatArray:
    """(k,) s. Mean times of k classes that share one queue, exponential work at speeds of their own (M/G/1).

    This is what a node with one queue really does where shares differ; with equal speeds it is formula (5).
    """
    load = float((arrival_hz / service_hz).sum())
    waiting = float((arrival_hz / service_hz**2).sum()) / (1.0 - load)
    return waiting + 1.0 / service_hz


def published_sojourn_s(service_hz: FloatArray, arrival_hz: FloatArray) -> FloatArray:
    """(k,) s. Formula (5), variant "node": 1 / (phi F / L - sum of all arrivals of the node)."""
    return np.asarray(1.0 / (service_hz - arrival_hz.sum()))
