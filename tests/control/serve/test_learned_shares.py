"""Processes whose managers share by a learned model."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest

import slicewright as sw
from slicewright.control.journal.sqlite.logs import read_log
from slicewright.control.state.events import SharesReported
from slicewright.control.views.replay import replay_log
from slicewright.models.slicing.session import FOLDER_VARIABLE
from slicewright.network.scenario_file import save_scenario
from tests.control.support.learned_shares import AS_TRAINED
from tests.control.support.processes import Served, nats_server, needs_nats, over_nats
from tests.waiting import wait_for


@pytest.mark.timing  # a model that takes longer than its limit is not used
def test_serve_with_a_model_and_with_one_whose_file_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, store = str(save_scenario(AS_TRAINED, tmp_path / "s.json")), tmp_path / "journal.db"
    damaged = tmp_path / "models"
    damaged.mkdir()
    card = resources.files("slicewright.models") / "weights" / "set-transformer-2.json"
    (damaged / "set-transformer-2.json").write_text(card.read_text(encoding="utf-8"), encoding="utf-8")
    (damaged / "set-transformer-2.onnx").write_bytes(b"half a file")
    monkeypatch.setenv(FOLDER_VARIABLE, str(damaged))
    for name, path, words in (
        ("deepsets-s", "deepsets-s", ""),
        ("set-transformer-2", "closed-form", "cannot be loaded"),
    ):
        one = Served((file, "--store", str(store), "--shares", name), tmp_path / name)
        one.start()
        try:
            wait_for(lambda: one.get("/readyz"), "ready")  # noqa: B023

            def shared() -> Any:
                slices = (one.get("/v1/slices") or {"slices": []})["slices"]  # noqa: B023
                ways = [s["manager"]["shares"] for s in slices if s["manager"] and s["devices"]]
                good = [w for w in ways if w["path"] == path and words in w["reason"]]  # noqa: B023
                return good if len(good) == 3 else None

            wait_for(shared, f"shares by {path}")
            violations = sw.check(sw.load_scenario(one.get("/v1/scenario")), one.get("/v1/plan"))
            assert violations.feasible, violations.explain()
        finally:
            one.stop()
        assert words in (tmp_path / name).read_text()
    report = replay_log(read_log(store))
    assert report.differences == ()
    paths = {r.event.path for r in read_log(store) if isinstance(r.event, SharesReported)}
    assert paths == {"deepsets-s", "closed-form"}


@needs_nats
@pytest.mark.timing  # a model that takes longer than its limit is not used
def test_managers_of_their_own_process_share_by_their_model_over_nats(tmp_path: Path) -> None:
    file = str(save_scenario(AS_TRAINED, tmp_path / "s.json"))
    with nats_server(tmp_path) as url:
        sro = Served((file, *over_nats(url), "--role", "sro"), tmp_path / "sro")
        names = [word for n in range(3) for word in ("--slice", f"s{n}")]
        arguments = (*over_nats(url), "--role", "slice-manager", *names, "--shares", "deepsets-s")
        managers = Served(arguments, tmp_path / "managers")
        for one in (sro, managers):
            one.start()

        def shared() -> bool:
            slices = (sro.get("/v1/slices") or {"slices": []})["slices"]
            return bool(slices) and all(
                s["manager"] and s["manager"]["shares"]["path"] == "deepsets-s" and s["state"] == "active"
                for s in slices
            )

        try:
            wait_for(shared, "all slices shared by the model")
            before = {s["manager"]["instance"] for s in sro.get("/v1/slices")["slices"]}
            managers.kill()
            managers.start()

            def succeeded() -> bool:
                slices = (sro.get("/v1/slices") or {"slices": []})["slices"]
                return shared() and not before & {s["manager"]["instance"] for s in slices}

            wait_for(succeeded, "a successor goes on")
            violations = sw.check(sw.load_scenario(sro.get("/v1/scenario")), sro.get("/v1/plan"))
            assert violations.feasible, violations.explain()
        finally:
            for one in (managers, sro):
                one.stop()
