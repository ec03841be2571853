"""Networks over time: tasks that arrive, wait and finish, devices that move, plans that follow."""

from slicewright.simulation.movement.links import Air
from slicewright.simulation.movement.mobility import Movement, Walk, Walkers
from slicewright.simulation.movement.traces import Follower, Trace, load_trace
from slicewright.simulation.placement_run import (
    PLACEMENT_DEFINITIONS,
    Churn,
    PlacementRun,
    simulate_placement,
)
from slicewright.simulation.replanning import Replanning, Step
from slicewright.simulation.settings import Settings
from slicewright.simulation.simulation import Simulation
from slicewright.simulation.tasks.demand import Arrivals, Distribution
from slicewright.simulation.tasks.log import COLUMNS, TaskLog
from slicewright.simulation.tasks.metrics import DEFINITIONS, Measured, measure
from slicewright.simulation.tasks.queues import SERVERS, Disciplines, FinishedTasks, TaskQueues
from slicewright.simulation.tasks.recorded import load_arrivals
from slicewright.simulation.timelapse import Timelapse, timelapse_file
from slicewright.slicing.correction import Correction, corrected_cost_s, corrected_plan

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
