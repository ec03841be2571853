"""Compute shares for clusters, and uplink rates for edge platforms: Kubernetes manifests, ETSI MEC 015."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from slicewright.enforcement.export.document import Export, Source, as_json, as_yaml, in_print, rounded_down
from slicewright.enforcement.linux.names import distinct, slugs
from slicewright.types import Document

_NODE = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
"""DNS subdomain, RFC 1123."""


def to_kubernetes(source: Source) -> Export:
    """A namespace per slice with a ResourceQuota, and a Deployment per device whose CPU limit is phi F."""
    plan, files, told, d = source.plan, {}, {}, source.plan.decisions
    places, renamed = _places(plan.scenario.nodes)
    for n in range(plan.scenario.n_slices):
        members = np.flatnonzero(d.slice == n).tolist()
        if not members:
            continue
        space = f"slice-{source.slices[n]}"
        cores = [_millicores(source, i) for i in members]
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "compute-share", "namespace": space},
            "spec": {
                "hard": {
                    "requests.cpu": f"{sum(least for least, _ in cores)}m",
                    "limits.cpu": f"{sum(most for _, most in cores)}m",
                }
            },
        }
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
        workers = [
            _worker(source, i, space, cores=pair, place=places[int(d.node[i])])
            for i, pair in zip(members, cores, strict=True)
        ]
        files[f"{source.slices[n]}.yaml"] = as_yaml(namespace, quota, *workers)
        told[f"{source.slices[n]}.yaml"] = f"slice {in_print(plan.scenario.slices[n].name)}"
    ignored = (
        "omega and the radio share phi: a cluster has no radio",
        "the node within a ResourceQuota: a quota is for the whole namespace; pods are tied by nodeSelector",
        "fractions of a millicore, and CPU shares shorter than the container runtime's quota period (100 ms)",
        "memory: the plan says nothing about it",
        "the image does no work: put your worker's in its place",
    )
    remarks = (f"one core stands for {source.options.core_hz:.4g} cycle/s", *_rounded_cores(source), *renamed)
    return Export("k8s", files, ignored, remarks, told)


def to_mec015(source: Source) -> Export:
    """ETSI MEC 015 bandwidth allocations: one BwInfo per offloaded device, fixed, uplink, bit/s."""
    plan, files = source.plan, {}
    for i in np.flatnonzero(~plan.decisions.local).tolist():
        called = source.slices[int(plan.decisions.slice[i])]
        files[f"device-{i}.json"] = as_json(
            {
                "appInsId": f"device-{i}",
                "appName": f"{called}-offloading",
                "requestType": 0,
                "fixedAllocation": str(int(source.rates_bps[i])),
                "allocationDirection": "01",
            }
        )
    ignored = (
        "the slice and the access point: an allocation belongs to an application instance; appName carries the slice",
        "whether the rate is a ceiling or a floor: both profiles make the same file",
        "fixedBWPriority: its values are not defined by the standard, so it is not set",
        "appInsId is the device's number here: put the identifiers of your platform in",
    )
    return Export("mec015", files, ignored, rounded_down(source.rates_bps, 1.0, "bit/s"))


def _places(nodes: Sequence[str]) -> tuple[list[Document], tuple[str, ...]]:
    """What ties a pod to each node, and a remark for each node whose name no cluster accepts.

    Names of cluster nodes have up to 253 letters, dots included; the label for the selector takes 63 of them, so that
    longer ones are matched by the field.
    """
    real = [name.lower() for name in nodes]
    called = distinct(
        [
            name if _NODE.fullmatch(name) and len(name) <= 253 else slug
            for name, slug in zip(real, slugs(nodes), strict=True)
        ],
        longest=253,
    )
    renamed = tuple(
        f"node {name!r} is not a name that a cluster accepts: it is called {new!r} in these files"
        for name, new in zip(nodes, called, strict=True)
        if name.lower() != new
    )
    return [_place(name) for name in called], renamed


def _place(node: str) -> Document:
    if len(node) <= 63:
        return {"nodeSelector": {"kubernetes.io/hostname": node}}
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    needed = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"affinity": {"nodeAffinity": needed}}


def _worker(source: Source, device: int, space: str, *, cores: tuple[int, int], place: Document) -> Document:
    least, most = cores
    labels = {"app": f"device-{device}"}
    container = {
        "name": "worker",
        "image": source.options.image,
        "resources": {"requests": {"cpu": f"{least}m"}, "limits": {"cpu": f"{most}m"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"device-{device}", "namespace": space},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": dict(labels)},
            "template": {
                "metadata": {"labels": labels},
                "spec": {**place, "containers": [container]},
            },
        },
    }


def _millicores(source: Source, device: int) -> tuple[int, int]:
    """What a device's worker is promised, and what it may use at most; whole millicores.

    Rounded up: less would make the execution time longer than promised (13b).
    """
    plan, core_hz = source.plan, source.options.core_hz
    least = _rounded_up(float(source.speeds_hz[device]), core_hz)
    if source.options.profile == "hard":
        return least, least
    j, n = int(plan.decisions.node[device]), int(plan.decisions.slice[device])
    return least, max(least, _rounded_up(float(plan.scenario.node_capacity_hz[j, n]), core_hz))


def _rounded_cores(source: Source) -> tuple[str, ...]:
    """By how much whole millicores are more than shares: of a device, and of a node's capacity in a slice."""
    plan, core_hz, d = source.plan, source.options.core_hz, source.plan.decisions
    members = np.flatnonzero(~d.local).tolist()
    if not members:
        return ()
    exact = np.array([1000.0 * float(source.speeds_hz[i]) / core_hz for i in members])
    given = np.array([_rounded_up(float(source.speeds_hz[i]), core_hz) for i in members])
    worst = float(((given - exact) / exact).max())
    told = [
        f"rounding up to whole millicores gives a device at most {float((given - exact).max()):.3g} millicores more "
        f"than its share, {100 * worst:.3g} % of it"
    ]
    room = 1000.0 * plan.scenario.node_capacity_hz / core_hz
    taken = np.zeros_like(room)
    np.add.at(taken, (d.node[members], d.slice[members]), given)
    for j, n in np.argwhere(taken > np.ceil(room - 1e-9)).tolist():
        told.append(
            f"requests on node {in_print(plan.scenario.nodes[j])} in slice "
            f"{in_print(plan.scenario.slices[n].name)} add up to "
            f"{taken[j, n]:.0f} millicores, {taken[j, n] - room[j, n]:.3g} more than it has for the slice"
        )
    return tuple(told)


def _rounded_up(speed_hz: float, core_hz: float) -> int:
    return max(1, math.ceil(1000 * speed_hz / core_hz - 1e-9))
