"""Deployments as kubectl reads them, by its own types and without a cluster: nothing is dropped, all names are kept."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from slicewright.enforcement.export import ExportOptions, export_plan
from slicewright.slicing.rrm import PROFILES, Profile
from tests.enforcement.test_export import fixed_plan

KUBECTL = shutil.which("kubectl")
pytestmark = pytest.mark.skipif(KUBECTL is None, reason="no kubectl here")
NAMES = (("coin0", "mec0"), ("1e5", "ip-10-0-0-7.ec2.internal"), ("-".join(["rack"] * 30), "Rack 1 (東京)"))


def asked(file: Path) -> subprocess.CompletedProcess[str]:
    """The one sub-command that decodes workloads by the client's types and asks no server: it sets an account."""
    options = ["--local", "--dry-run=client", "-o", "json", "-f", str(file)]
    command = [str(KUBECTL), "set", "serviceaccount", *options, "checked"]
    return subprocess.run(command, capture_output=True, text=True, env={"HOME": str(file.parent)})


def decoded(text: str) -> list[Any]:
    """The documents of a stream of JSON."""
    found: list[Any] = []
    decoder, text = json.JSONDecoder(), text.lstrip()
    while text:
        document, end = decoder.raw_decode(text)
        found += document["items"] if document["kind"] == "List" else [document]
        text = text[end:].lstrip()
    return found


def missing(written: Any, read: Any, path: str = "") -> list[str]:
    """Where a document says something else, or nothing, of what was written."""
    if isinstance(written, dict) and isinstance(read, dict):
        return [at for key, value in written.items() for at in missing(value, read.get(key), f"{path}.{key}")]
    if isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        pairs = enumerate(zip(written, read, strict=True))
        return [at for k, (one, other) in pairs for at in missing(one, other, f"{path}[{k}]")]
    same = millicores(written) == millicores(read) if path.endswith(".cpu") else written == read
    return [] if same else [f"{path}: {written!r}, read as {read!r}"]


def millicores(quantity: object) -> float:
    """Of a quantity, which kubectl writes as it likes: 10000m is 10."""
    text = str(quantity)
    return float(text.removesuffix("m")) * (1.0 if text.endswith("m") else 1000.0)


@pytest.mark.parametrize("profile", PROFILES)
def test_kubectl_reads_what_was_written(profile: Profile, tmp_path: Path) -> None:
    written: dict[tuple[int, str], Any] = {}
    read: dict[tuple[int, str], Any] = {}
    for k, names in enumerate(NAMES):
        plan = fixed_plan()
        plan = plan.with_(scenario=plan.scenario.with_(nodes=names))
        made = export_plan(plan, "k8s", options=ExportOptions(profile=profile))
        texts = [text for whole in made.files.values() for text in whole.split("\n---\n")]
        file = (
            tmp_path / f"{k}.yaml"
        )  # as it was written: what one reader of YAML quotes another one would not
        deployments = [text for text in texts if "kind: Deployment" in text]
        file.write_text("\n---\n".join(deployments), encoding="utf-8")
        answer = asked(file)
        assert answer.returncode == 0, answer.stderr
        written |= {(k, one["metadata"]["name"]): one for one in map(yaml.safe_load, deployments)}
        read |= {(k, one["metadata"]["name"]): one for one in decoded(answer.stdout)}
    assert len(written) > 2 * len(NAMES)
    assert written.keys() == read.keys()
    assert [at for key, one in written.items() for at in missing(one, read[key], str(key))] == []


@pytest.mark.parametrize(("right", "wrong"), [("cpu: ", "cpu: 12 apples # "), ("containers:", "contaners:")])
def test_kubectl_would_find_a_mistake(right: str, wrong: str, tmp_path: Path) -> None:
    (text, *_) = export_plan(fixed_plan(), "k8s").files.values()
    deployment = next(one for one in text.split("\n---\n") if "kind: Deployment" in one)
    (tmp_path / "d.yaml").write_text(deployment.replace(right, wrong, 1), encoding="utf-8")
    answer = asked(tmp_path / "d.yaml")
    broken = yaml.safe_load((tmp_path / "d.yaml").read_text(encoding="utf-8"))
    assert answer.returncode != 0 or missing(broken, decoded(answer.stdout)[0])
