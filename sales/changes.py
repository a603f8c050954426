"""Hearing that the catalogue has changed, so that what is kept of it in memory is never stale for
longer than the message takes.

PostgreSQL tells every listener when a transaction that wrote events has committed (migration 0008).
Who doesn't listen just now (starting, connection lost) must not keep anything: `version` is None.
"""

import asyncio

import asyncpg
import structlog

from kernel.db import GONE

CHANNEL = "catalogue"
CONNECT_TIMEOUT_S = 5
# A connection that died without a word is found out by asking.
ASK_EVERY_S = 5.0
ASK_TIMEOUT_S = 2.0
AGAIN_S = 1.0
log = structlog.get_logger()


class CatalogueChanges:
    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._version = 0
        self._is_hearing = False

    @property
    def version(self) -> int | None:
        """Another number after every change; None while changes can't be heard."""
        return self._version if self._is_hearing else None

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the connection."""
        while True:
            try:
                await self._listen()
            except GONE as error:
                log.warning("changes of the catalogue are not heard", error=repr(error))
            finally:
                self._is_hearing = False
            await asyncio.sleep(AGAIN_S)

    async def _listen(self) -> None:
        conn = await asyncpg.connect(
            self._url, timeout=CONNECT_TIMEOUT_S, server_settings={"application_name": "biletter"}
        )
        ended = asyncio.Event()
        conn.add_termination_listener(lambda *_: ended.set())
        try:
            await conn.add_listener(CHANNEL, self._note)
            self._version += 1
            self._is_hearing = True
            while not ended.is_set():
                await conn.fetchval("SELECT 1", timeout=ASK_TIMEOUT_S)
                try:
                    await asyncio.wait_for(ended.wait(), ASK_EVERY_S)
                except TimeoutError:
                    continue
        finally:
            self._is_hearing = False
            conn.terminate()

    def _note(self, *_: object) -> None:
        self._version += 1
