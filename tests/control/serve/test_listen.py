"""The socket that answers come from."""

from __future__ import annotations

import asyncio
import http.client
import socket
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

from slicewright.control.http.guards.connections import ConnectionLimits
from slicewright.control.journal.records import GENESIS, chained
from slicewright.control.journal.sqlite.journal import SqliteJournal
from slicewright.control.serve.listening import AnsweringServer, listen
from slicewright.control.serve.process import serve_forever
from slicewright.control.serve.settings import ServeSettings
from slicewright.control.state.errors import ControlError
from slicewright.control.state.events import TookOver
from slicewright.errors import InvalidOptionError
from tests.waiting import PATIENCE_S


def test_accepted_connections_send_small_packets_at_once() -> None:
    """Else every answer of two packets waits 40 ms for the acknowledgement of the first."""

    async def accepted_nodelay() -> int:
        found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            end = writer.get_extra_info("socket")
            found.set_result(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen("127.0.0.1", 0)
        async with await asyncio.start_server(accept, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname())
            try:
                return await asyncio.wait_for(found, PATIENCE_S)
            finally:
                writer.close()

    assert asyncio.run(accepted_nodelay()) == 1


def test_a_port_is_one_process_s_from_the_beginning() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(InvalidOptionError, match="port"):
        listen("127.0.0.1", listener.getsockname()[1])


def test_who_connects_early_waits_and_the_address_is_said_when_calls_are_answered() -> None:
    app, order, answers = FastAPI(), list[str](), list[int]()
    app.add_api_route("/", lambda: "here")

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=PATIENCE_S)
        connection.request("GET", "/")
        answers.append(connection.getresponse().status)
        connection.close()
        server.should_exit = True

    async def first() -> None:
        asking.start()
        await asyncio.sleep(0.05)
        order.append(f"first, with {len(answers)} answers")

    with listen("127.0.0.1", 0) as listener:
        asking = threading.Thread(target=ask)
        server = AnsweringServer(
            app,
            connections=ConnectionLimits(),
            first=first,
            answering=lambda: order.append("answering"),
            leaving=lambda: None,
        )
        server.run(sockets=[listener])
        asking.join()
    assert (order, answers) == (["first, with 0 answers", "answering"], [200])


def test_what_fails_before_the_first_call_is_the_callers_error() -> None:
    async def first() -> None:
        raise ControlError("the journal is another's")

    with listen("127.0.0.1", 0) as listener, pytest.raises(ControlError, match="another's"):
        AnsweringServer(FastAPI(), connections=ConnectionLimits(), first=first).run(sockets=[listener])


def test_a_city_refuses_a_journal_that_is_none_of_a_city_in_a_sentence(tmp_path: Path) -> None:
    async def write() -> None:
        journal = SqliteJournal(tmp_path / "journal.db")
        await journal.append(chained(GENESIS, 0, 1.0, [TookOver("sro", 1)]))
        await journal.close()

    asyncio.run(write())
    settings = ServeSettings("paper-slicing", port=0, city=True, store=tmp_path / "journal.db")
    with pytest.raises(ControlError, match="not that of a city"):
        serve_forever(settings, say=lambda line: None)
