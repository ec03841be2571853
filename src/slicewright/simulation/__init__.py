"""Networks over time: tasks that arrive, wait and finish, devices that move, plans that follow."""

from slicewright.simulation.correction import Correction, corrected_cost_s, corrected_plan
from slicewright.simulation.demand import Arrivals, Distribution
from slicewright.simulation.links import Air
from slicewright.simulation.metrics import DEFINITIONS, Measured, measure
from slicewright.simulation.mobility import Movement, Walk, Walkers
from slicewright.simulation.placement_run import (
    PLACEMENT_DEFINITIONS,
    Churn,
    PlacementRun,
    simulate_placement,
)
from slicewright.simulation.recorded_tasks import load_arrivals
from slicewright.simulation.replanning import Replanning, Step
from slicewright.simulation.simulation import Settings, Simulation
from slicewright.simulation.task_log import COLUMNS, TaskLog
from slicewright.simulation.task_queues import SERVERS, Disciplines, FinishedTasks, TaskQueues
from slicewright.simulation.timelapse import Timelapse, timelapse_file
from slicewright.simulation.traces import Follower, Trace, load_trace

__all__ = [
    "COLUMNS",
    "DEFINITIONS",
    "PLACEMENT_DEFINITIONS",
    "SERVERS",
    "Air",
    "Arrivals",
    "Churn",
    "Correction",
    "Disciplines",
    "Distribution",
    "FinishedTasks",
    "Follower",
    "Measured",
    "Movement",
    "PlacementRun",
    "Replanning",
    "Settings",
    "Simulation",
    "Step",
    "TaskLog",
    "TaskQueues",
    "Timelapse",
    "Trace",
    "Walk",
    "Walkers",
    "corrected_cost_s",
    "corrected_plan",
    "load_arrivals",
    "load_trace",
    "measure",
    "simulate_placement",
    "timelapse_file",
]
