"""The socket that answers come from."""

from __future__ import annotations

import asyncio
import socket

from slicewright.control.serve.process import listen
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
