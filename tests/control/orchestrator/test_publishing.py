"""A grant is put only over what its leader knew to be there while it was sure to lead."""

from __future__ import annotations

import asyncio

import pytest

from slicewright.control.journal.base import FencedError
from slicewright.control.orchestrator.publishing import Publishing
from slicewright.control.state.clock import LoopClock
from slicewright.control.transport.base import OvertakenError
from slicewright.control.transport.memory import MemoryTransport

KEY = "grant.s0"


class Slow(MemoryTransport):
    """Puts wait until they are let go."""

    def __init__(self) -> None:
        super().__init__(LoopClock())
        self.go_on = asyncio.Event()

    async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
        if value == b"late":
            await self.go_on.wait()
        return await super().put(key, value, after=after)


def test_a_grant_that_was_on_its_way_while_somebody_else_led_changes_nothing() -> None:
    async def story() -> None:
        transport, leads = Slow(), True

        def sure() -> None:
            if not leads:
                raise FencedError("this process stood still")

        before, now = Publishing(transport, sure), Publishing(transport, lambda: None)
        await before.put(KEY, b"first")
        late = asyncio.create_task(before.put(KEY, b"late"))
        await asyncio.sleep(0)
        leads = False
        await now.put(KEY, b"of the next leader")
        transport.go_on.set()
        with pytest.raises(FencedError):
            await late
        found = await transport.get(KEY)
        assert found is not None
        assert found.value == b"of the next leader"

    asyncio.run(story())


def test_what_came_before_the_first_grant_of_a_term_is_replaced() -> None:
    async def story() -> None:
        transport = Slow()
        publishing = Publishing(transport, lambda: None)
        await publishing.put(KEY, b"one")
        await transport.put(KEY, b"of somebody who has led meanwhile")
        await publishing.put(KEY, b"two")
        found = await transport.get(KEY)
        assert found is not None
        assert found.value == b"two"

    asyncio.run(story())


def test_a_key_that_is_fought_over_is_left_for_later() -> None:
    class Fought(MemoryTransport):
        async def put(self, key: str, value: bytes, *, after: int | None = None) -> int:
            raise OvertakenError(key)

    with pytest.raises(OvertakenError, match="all the time"):
        asyncio.run(Publishing(Fought(LoopClock()), lambda: None).put(KEY, b"one"))
