"""The NATS configuration that operators are given: the rights in it suffice, and are no more than it says."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import nats

from slicewright.network.scenario_file import save_scenario
from tests.control.support.processes import Served, nats_server, needs_nats, over_nats
from tests.control.support.scenes import scenario_of
from tests.waiting import PATIENCE_S, wait_for

CONF = Path(__file__).parents[3] / "docs" / "operations" / "nats.conf"


def rights() -> str:
    """The block about users, with passwords in it."""
    text = CONF.read_text()
    block = text[text.index("authorization {") :]
    return re.sub(r"\$(ORCHESTRATOR|MANAGER)_PASSWORD", "secret", block)


async def _write(url: str, subject: str, *, refused: bool) -> list[str]:
    """What the server says to a message from a user; where it is to refuse it, there is time for that to be told."""
    said: list[str] = []

    async def note(error: Exception) -> None:
        said.append(str(error))

    client = await nats.connect(url, error_cb=note)
    await client.publish(subject, b"forged")
    await client.flush(int(PATIENCE_S))
    async with asyncio.timeout(PATIENCE_S):
        while refused and not said:
            await asyncio.sleep(0.01)
    await client.close()
    return said


@needs_nats
def test_the_rights_suffice_and_managers_cannot_touch_the_journal(tmp_path: Path) -> None:
    scenario = save_scenario(scenario_of(8, 3), tmp_path / "s.json")
    with nats_server(tmp_path, settings=rights()) as url:
        users = {name: url.replace("//", f"//{name}:secret@") for name in ("orchestrator", "manager")}
        quick = ("--rounds", "10", "--epoch", "200ms")
        sro = Served(
            (str(scenario), *over_nats(users["orchestrator"]), *quick, "--role", "sro"), tmp_path / "sro"
        )
        slices = [word for n in range(3) for word in ("--slice", f"s{n}")]
        managers = Served(
            (*over_nats(users["manager"]), *quick, "--role", "slice-manager", *slices), tmp_path / "managers"
        )

        def settled() -> bool:
            found = (sro.get("/v1/slices") or {"slices": []})["slices"]
            return bool(found) and all(s["state"] == "active" and s["held_revision"] for s in found)

        sro.start()
        managers.start()
        try:
            wait_for(settled, "all slices active")
        finally:
            managers.stop()
            sro.stop()
        for subject in ("slicewright.journal.records", "$KV.slicewright-values.grant.7330"):
            assert any(
                "permissions violation" in said.lower()
                for said in asyncio.run(_write(users["manager"], subject, refused=True))
            )
            assert asyncio.run(_write(users["orchestrator"], subject, refused=False)) == []
