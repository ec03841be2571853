"""Inter-slice shares for radio access networks: 3GPP management, srsRAN and OCUDU, O-RAN E2 and A1."""

from __future__ import annotations

import numpy as np

from slicewright.enforcement.export.document import Export, Source, as_json, as_yaml, in_print, rounded_down
from slicewright.enforcement.linux.names import distinct
from slicewright.network.scenario import SliceId
from slicewright.slicing.rrm import snssai
from slicewright.types import Document

_INTRA = (
    "phi, the share of a device within its slice: there is no such field; schedulers divide as they see fit"
)
LONGEST_FILE_NAME = 200
_UNLIMITED = {"rRMPolicyMaxRatio": 100, "rRMPolicyMinRatio": 0, "rRMPolicyDedicatedRatio": 0}


def to_rrm(source: Source) -> Export:
    """RRMPolicyRatio objects of TS 28.541 as requests of TS 28.532 (ProvMnS), one file per access point."""
    files = {}
    for a, name in enumerate(source.cells):
        at = f"/ManagedElement=1/GNBDUFunction=1/NRCellDU={name}/RRMPolicyRatio="
        requests = [
            {"method": "PUT", "path": at + called, "body": {"id": called, "attributes": policy}}
            for called, policy in zip(source.slices, source.policies(a), strict=True)
        ]
        files[f"{name}.json"] = as_json(requests)
    ignored = (
        _INTRA,
        "resourceType PRB_UL where a base station only knows PRB",
        "ManagedElement and GNBDUFunction are called 1 here: put your own identifiers into the paths",
    )
    return Export("rrm", files, ignored, source.radio_remarks(), source.told_cells(files))


def to_srsran_yaml(source: Source) -> Export:
    """Start-up configuration of srsRAN Project and its successor OCUDU: ``cell_cfg.slicing``, one file per cell."""
    scenario, files, raised = source.plan.scenario, {}, False
    for a, name in enumerate(source.cells):
        slicing = []
        for s, (dedicated, least, most) in zip(scenario.slices, source.percents(a), strict=True):
            schedule = {"min_prb_policy_ratio": least, "max_prb_policy_ratio": max(most, 1)}
            raised |= most == 0
            if dedicated:
                schedule["ded_prb_policy_ratio"] = dedicated
            slicing.append({**_integer_snssai(s), "sched_cfg": {**schedule, "priority": 0}})
        heading = f"access point {name}: merge into the configuration of the DU that serves it"
        files[f"{name}.yaml"] = as_yaml({"cell_cfg": {"slicing": slicing}}, heading=heading)
    ignored = (
        _INTRA,
        "the direction: ratios hold for uplink and downlink alike, the plan is about the uplink",
        "the PLMN of a slice: the file has one PLMN per cell",
        "ded_prb_policy_ratio in srsRAN releases before the dedicated ratio was added (min and max remain)",
    )
    remarks = list(source.radio_remarks())
    if raised:
        remarks.append(
            "the format's least maximum is 1: slices without a share got 1 % (no block in cells below 100 PRBs)"
        )
    return Export("srsran-yaml", files, ignored, tuple(remarks), source.told_cells(files))


def to_srsran_json(source: Source) -> Export:
    """Remote-control commands of srsRAN Project and OCUDU: one per line, to send one by one to the cell's DU."""
    scenario, plmn, files = source.plan.scenario, source.options.plmn, {}
    for a, name in enumerate(source.cells):
        rows = zip(scenario.slices, source.percents(a), strict=True)
        commands = [
            {
                "cmd": "rrm_policy_ratio_set",
                "policies": {
                    "resourceType": "PRB",
                    "rRMPolicyMemberList": [{"plmn": plmn.mcc + plmn.mnc, **_integer_snssai(s)}],
                    "min_prb_policy_ratio": least,
                    "max_prb_policy_ratio": most,
                    "dedicated_ratio": dedicated,
                },
            }
            for s, (dedicated, least, most) in sorted(rows, key=lambda row: row[1])  # decreases come first
        ]
        files[f"{name}.json"] = as_json(commands)
    ignored = (
        _INTRA,
        "the cell: a command has no cell field and holds for every cell of the DU it is sent to",
        "the direction: only resourceType PRB is known, which is both",
        "there is no authentication: send it over a network that only the operator reaches",
    )
    return Export("srsran-json", files, ignored, source.radio_remarks(), source.told_cells(files))


def to_e2sm_ccc(source: Source) -> Export:
    """O-RAN E2SM-CCC control, style 2 (cell configuration): header and message, one pair per access point."""
    plmn, files = source.options.plmn, {}
    header = {"controlHeaderFormat": {"ricStyleType": 2}}
    for a, name in enumerate(source.cells):
        structures = [
            {
                "ranConfigurationStructureName": "O-RRMPolicyRatio",
                "oldValuesOfAttributes": {"ranConfigurationStructure": {**policy, **_UNLIMITED}},
                "newValuesOfAttributes": {"ranConfigurationStructure": policy},
            }
            for policy in source.policies(a)
        ]
        cell = {
            "cellGlobalId": {
                "plmnIdentity": {"mcc": plmn.mcc, "mnc": plmn.mnc},
                "nRCellIdentity": source.cell_identity(a),
            },
            "listOfConfigurationStructures": structures,
        }
        message = {"controlMessageFormat": {"listOfCellsControlled": [cell]}}
        files[f"{name}.json"] = as_json({"controlHeader": header, "controlMessage": message})
    ignored = (
        _INTRA,
        "oldValuesOfAttributes: srsRAN does not compare them; here they are the standard's defaults (0, 0, 100)",
        "cell identities count on from the given first one: check them against your cells",
    )
    return Export("e2sm-ccc", files, ignored, source.radio_remarks(), source.told_cells(files))


def to_a1(source: Source) -> Export:
    """A1 policies of type ORAN_SliceSLATarget_1.0.0: the uplink rate of each slice in each cell, kbit/s."""
    plan, plmn = source.plan, {"mcc": source.options.plmn.mcc, "mnc": source.options.plmn.mnc}
    scenario, d, policies, told = plan.scenario, plan.decisions, {}, {}
    rates = np.zeros((scenario.n_access_points, scenario.n_slices))
    offloaded = ~d.local
    np.add.at(rates, (d.access_point[offloaded], d.slice[offloaded]), source.rates_bps[offloaded])
    for a, cell in enumerate(source.cells):
        for n, s in enumerate(scenario.slices):
            kbps = int(rates[a, n] // 1000)
            if kbps == 0:
                continue
            goals = {"guaUlThptPerSlice": kbps}
            if source.options.profile == "hard":
                goals["maxUlThptPerSlice"] = kbps
            told[a, n] = f"access point {in_print(scenario.access_points[a])}, slice {in_print(s.name)}"
            policies[a, n, f"{cell}-{source.slices[n]}"] = as_json(
                {
                    "scope": {"sliceId": {**snssai(s), "plmnId": plmn}},
                    "sliceSlaObjectives": goals,
                    "sliceSlaResources": {
                        "cellIdList": [{"plmnId": plmn, "cId": {"ncI": int(source.cell_identity(a), 16)}}]
                    },
                }
            )
    names = [
        f"{name}.json" for name in distinct([name for _, _, name in policies], longest=LONGEST_FILE_NAME)
    ]
    files = dict(zip(names, policies.values(), strict=True))
    ignored = (
        "ratios: the policy type knows throughputs only; omega and phi are in them as omega phi R, summed",
        "guaUlThptPerSlice is about flows with a guaranteed bit rate; others may be left out of it",
        "the share of each device: maxUlThptPerUe is one number for all devices of a slice, so it is not used",
        "how a near-real-time RIC reaches the target is up to it; nothing here sets a resource block",
    )
    empty = () if np.any(source.rates_bps > 0) else ("nobody offloads: there is nothing to ask for",)
    remarks = (*rounded_down(rates, 1000.0, "kbit/s"), *empty)
    return Export("a1", files, ignored, remarks, dict(zip(names, told.values(), strict=True)))


def _integer_snssai(s: SliceId) -> Document:
    """srsRAN wants the differentiator as an integer."""
    return {"sst": s.sst, **({} if s.sd is None else {"sd": int(s.sd, 16)})}
