"""From a model's name to its files: runs, training, figures, export. Needs the extra ``train``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from slicewright.errors import InvalidOptionError, UnknownNameError
from slicewright.learning.cards import Card
from slicewright.learning.export import save_model
from slicewright.learning.placement import kinds
from slicewright.learning.placement.classifier import Classifier, ClassifierDesign
from slicewright.learning.placement.crossing import predicted_classes, tree_classes
from slicewright.learning.placement.features import ALONE, INGRESS
from slicewright.learning.placement.gains import gains
from slicewright.learning.placement.graphs import classifier_onnx, queue_onnx
from slicewright.learning.placement.queue_network import QueueDesign
from slicewright.learning.placement.runs import FIRST_TEST_SEED, LABEL_ITERATIONS, Run, ranges, solved_runs
from slicewright.learning.placement.scores import class_scores
from slicewright.learning.placement.training import (
    ClassifierSchedule,
    QueueSchedule,
    train_classifier,
    train_queue_network,
)
from slicewright.learning.placement.tree import SMALLEST_LEAF, train_tree, tree_onnx
from slicewright.network.documents import write_atomically

Report = Callable[[str], None]
