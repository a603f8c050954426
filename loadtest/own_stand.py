"""The star concert as a measurement wants it: its seats ours or a partner's, its room as told."""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import httpx

from loadtest.stand import Stand, standing

STAR: Final = 1
OWNERS: Final = ("own", "partner")
ROOMS: Final = ("off", "auto")
# What may happen to a call: cut off or held, before it is carried out or after.
BROKEN: Final = ("abort_before", "stall_before", "abort", "stall")
GATEWAY_WAYS: Final = tuple(
    f"{verb}_{way}" for verb in ("init", "check", "confirm", "cancel") for way in BROKEN
)
PARTNER_WAYS: Final = BROKEN
WAYS: Final = len(BROKEN)
# Longer than anybody waits.
STALLS: Final = {"stall_s": 10.0}
# A partner's hundred thousand places are laid and read after the start.
LAID_WITHIN_S: Final = 120.0
PLACES: Final = "SELECT count(*) FROM partner_place WHERE event_id = $1"
SEATS: Final = "SELECT sum(seat_count) FROM zone WHERE event_id = $1"


@contextlib.contextmanager
def installation(port: int | None, *, owner: str, room: str) -> Iterator[str]:
    """The address of the sales site: one that runs already at `port`, or of our own."""
    if port is not None:
        yield f"http://127.0.0.1:{port}"
        return
    settings = {"BILETTER_EVENT1": owner, "BILETTER_ROOM_MODE": room}
    with standing({**settings, "BILETTER_LOG_LEVEL": "warning"}) as stand:
        if owner == "partner":
            asyncio.run(_until_laid(stand))
        yield stand.base()


async def _until_laid(stand: Stand) -> None:
    give_up_at = time.monotonic() + LAID_WITHIN_S
    conn = await asyncpg.connect(stand.env["DATABASE_URL"])
    try:
        seats = await conn.fetchval(SEATS, STAR)
        while await conn.fetchval(PLACES, STAR) != seats:
            if time.monotonic() > give_up_at:
                raise TimeoutError("the partner's hall is not laid")
            await asyncio.sleep(0.2)
    finally:
        await conn.close()


def disturb(base: str, share: float) -> None:
    """So many of the calls to the gateway's and the partner's stand-ins go wrong, each in one of
    the ways there are; 0: none.
    """
    parts = urlsplit(base)
    for offset, ways in ((3, GATEWAY_WAYS), (4, PARTNER_WAYS)):
        address = f"http://{parts.hostname}:{(parts.port or 80) + offset}/sandbox/faults"
        told = dict.fromkeys(ways, share / WAYS) | STALLS if share else {}
        httpx.put(address, json=told, timeout=30, trust_env=False).raise_for_status()
