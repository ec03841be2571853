"""Solved instances as a product: build, resume, validate, measure, and read as data sets."""

from slicewright.labels.build import Progress, build_labels
from slicewright.labels.datasets import SP1, SP2, SP3, Requests, sp1_dataset, sp2_dataset, sp3_dataset
from slicewright.labels.label import Label, Solution
from slicewright.labels.methods import METHODS, Job
from slicewright.labels.recipe import Recipe
from slicewright.labels.splits import SPLITS, UNSOLVED, split_of
from slicewright.labels.store.manifest import Manifest, load_manifest
from slicewright.labels.store.shards import SMALL_STORE, read_labels
from slicewright.labels.store.table import LabelTable

__all__ = [
    "METHODS",
    "SMALL_STORE",
    "SP1",
    "SP2",
    "SP3",
    "SPLITS",
    "UNSOLVED",
    "Job",
    "Label",
    "LabelTable",
    "Manifest",
    "Progress",
    "Recipe",
    "Requests",
    "Solution",
    "build_labels",
    "load_manifest",
    "read_labels",
    "sp1_dataset",
    "sp2_dataset",
    "sp3_dataset",
    "split_of",
]
