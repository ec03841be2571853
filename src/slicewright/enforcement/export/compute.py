"""Compute shares for clusters, and uplink rates for edge platforms: Kubernetes manifests, ETSI MEC 015."""

from __future__ import annotations

import math

import numpy as np

from slicewright.enforcement.export.document import Export, Source, as_json, as_yaml
from slicewright.enforcement.linux.names import slugs
from slicewright.types import Document


def to_kubernetes(source: Source) -> Export:
    """A namespace per slice with a ResourceQuota, and a Deployment per device whose CPU limit is phi F."""
    plan, files, d = source.plan, {}, source.plan.decisions
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
        workers = [_worker(source, i, space, cores=pair) for i, pair in zip(members, cores, strict=True)]
        files[f"{source.slices[n]}.yaml"] = as_yaml(namespace, quota, *workers)
    ignored = (
        "omega and the radio share phi: a cluster has no radio",
        "the node within a ResourceQuota: a quota is for the whole namespace; pods are tied by nodeSelector",
        "fractions of a millicore, and CPU shares shorter than the container runtime's quota period (100 ms)",
        "memory: the plan says nothing about it",
        "the image does no work: put your worker's in its place",
    )
    remarks = (f"one core stands for {source.options.core_hz:.4g} cycle/s",)
    return Export("k8s", files, ignored, remarks)


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
    return Export("mec015", files, ignored)


def _worker(source: Source, device: int, space: str, *, cores: tuple[int, int]) -> Document:
    node = slugs(source.plan.scenario.nodes)[int(source.plan.decisions.node[device])]
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
                "spec": {"nodeSelector": {"kubernetes.io/hostname": node}, "containers": [container]},
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


def _rounded_up(speed_hz: float, core_hz: float) -> int:
    return max(1, math.ceil(1000 * speed_hz / core_hz - 1e-9))
