"""A Ray cluster is joined once, and one that is not there is told of soon."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from slicewright.errors import InvalidOptionError, WorkerError
from slicewright.ray_cluster import join


class Ray:
    """What of the module is asked for."""

    def __init__(self, *, joined: bool = False, error: Exception | None = None) -> None:
        self.joined, self.error = joined, error
        self.asked: list[str | None] = []

    def is_initialized(self) -> bool:
        return self.joined

    def init(self, *, address: str | None, **_: Any) -> None:
        self.asked.append(address)
        if self.error is not None:
            raise self.error
        self.joined = True


@pytest.fixture(autouse=True)
def _no_cluster_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


def test_a_cluster_is_joined_once() -> None:
    ray = Ray()
    assert [join(ray, None), join(ray, None)] == [True, False]
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        for named in (address, f"ray://{address}"):
            assert join(Ray(), named)
    assert ray.asked == [None]


def test_where_nobody_answers_ray_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{held.getsockname()[1]}"
        ray = Ray()
        with pytest.raises(WorkerError, match=f"no Ray cluster answers at {address}: Connection refused"):
            join(ray, address)
        monkeypatch.setenv("RAY_ADDRESS", f"ray://{address}")
        with pytest.raises(WorkerError, match="no Ray cluster answers at ray://"):
            join(ray, None)
    assert not ray.asked


@pytest.mark.parametrize("address", ["head", "head:", "head:port", ":6379", "ray://head"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidOptionError, match="must be HOST:PORT"):
        join(Ray(), address)


def test_what_ray_cannot_join_is_one_sentence() -> None:
    with pytest.raises(WorkerError, match=r"no Ray cluster answers at auto: none found; start one$"):
        join(Ray(error=ConnectionError("none found;\n  start one")), "auto")
