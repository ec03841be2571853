"""Work for readers: bounded, with a deadline, and over when the client leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from starlette.requests import Request

from slicewright.control.http.guards.work import Bench, GoOn, NobodyWaitsError, Streams
from slicewright.control.http.problems import Problem
from tests.control.support.running import until
from tests.waiting import PATIENCE_S


def request(left: Callable[[], bool] = lambda: False) -> Request:
    """A request whose client leaves when told."""

    async def receive() -> dict[str, object]:
        while not left():
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "GET", "path": "/", "headers": []}, receive)


def refused(done: object) -> str:
    """Code of the problem."""
    assert isinstance(done, Problem), done
    return done.code


def test_no_more_is_done_at_a_time_than_there_are_places() -> None:
    most, now, lock, two = [0], [0], threading.Lock(), threading.Barrier(2)

    def work(_: GoOn) -> int:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        two.wait(PATIENCE_S)
        with lock:
            now[0] -= 1
        return 7

    async def story() -> None:
        bench = Bench(2, 64, PATIENCE_S)
        assert await asyncio.gather(*(bench.do(request(), f"c{k}", work) for k in range(12))) == [7] * 12
        assert most[0] == 2 and bench.busy == 0

    asyncio.run(story())


def test_work_ends_when_its_client_leaves_or_its_time_is_over() -> None:
    ended: list[str] = []
    began = threading.Event()

    def endless(go_on: GoOn) -> None:
        began.set()
        try:
            while True:
                threading.Event().wait(0.01)
                go_on()
        except NobodyWaitsError:
            ended.append("x")
            raise

    async def story() -> None:
        bench = Bench(1, 8, PATIENCE_S)
        with pytest.raises(Problem) as left:
            await bench.do(request(began.is_set), "a", endless)
        assert left.value.status == 499
        bench.longest_s = 0.3
        with pytest.raises(Problem) as late:
            await bench.do(request(), "a", endless)
        assert late.value.status == 503 and late.value.code == "too-much-work"
        bench.longest_s = PATIENCE_S
        assert await bench.do(request(), "a", lambda _: 1) == 1, "its place is free again"
        assert len(ended) == 2

    asyncio.run(story())


def test_a_place_is_taken_until_the_thread_is_done_even_if_nobody_waits() -> None:
    hold = threading.Event()

    async def story() -> None:
        bench = Bench(1, 8, 0.2)
        stubborn = asyncio.create_task(bench.do(request(), "a", lambda _: hold.wait(PATIENCE_S)))
        with pytest.raises(Problem):
            await stubborn
        with pytest.raises(Problem) as waits:
            await bench.do(request(), "a", lambda _: 1)
        assert waits.value.code == "too-much-work"
        hold.set()
        bench.longest_s = PATIENCE_S
        assert await bench.do(request(), "a", lambda _: 1) == 1

    asyncio.run(story())


def test_one_caller_cannot_take_all_places_of_those_who_wait() -> None:
    hold = threading.Event()

    async def story() -> None:
        bench = Bench(1, 8, PATIENCE_S)
        greedy = [
            asyncio.create_task(bench.do(request(), "greedy", lambda _: hold.wait(PATIENCE_S)))
            for _ in range(2)
        ]
        await until(lambda: bench.busy == 2)
        with pytest.raises(Problem) as more:
            await bench.do(request(), "greedy", lambda _: 1)
        assert (more.value.status, more.value.code) == (429, "too-many-at-once")
        others = [asyncio.create_task(bench.do(request(), f"c{k}", lambda _: 1)) for k in range(7)]
        await until(lambda: bench.busy == 9)
        with pytest.raises(Problem) as full:
            await bench.do(request(), "late", lambda _: 1)
        assert (full.value.status, full.value.code) == (503, "busy")
        hold.set()
        await asyncio.gather(*greedy, *others)

    asyncio.run(story())


def test_a_failure_of_the_work_is_told_to_its_caller() -> None:
    def broken(_: GoOn) -> None:
        raise ValueError("no")

    async def story() -> None:
        bench = Bench(1, 8, 30.0)
        with pytest.raises(ValueError, match="no"):
            await bench.do(request(), "a", broken)
        assert await bench.do(request(), "a", lambda _: 1) == 1

    asyncio.run(story())


def test_streams_are_counted_per_caller_and_together() -> None:
    streams = Streams(3, 2)
    ends = [streams.take("a"), streams.take("a")]
    with pytest.raises(Problem, match="end another"):
        streams.take("a")
    ends.append(streams.take("b"))
    with pytest.raises(Problem, match="end another"):
        streams.take("c")
    for end in (ends[0], ends[0]):
        end()
    assert streams.open == 2
    streams.take("c")
