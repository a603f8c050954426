"""Waits until every web duty says it is ready."""

import asyncio
import time
from collections.abc import Mapping

import httpx

from biletter.trouble import Trouble

READY_WITHIN_S = 90.0
ASK_EVERY_S = 0.1
ANSWER_WITHIN_S = 2.0


async def wait_until_ready(addresses: Mapping[str, str]) -> None:
    """addresses: duty → base URL. Raises Trouble naming those that stay silent."""
    waiting = dict(addresses)
    give_up_at = time.monotonic() + READY_WITHIN_S
    async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
        while waiting:
            for duty, address in list(waiting.items()):
                if await is_ready(client, address):
                    del waiting[duty]
            if waiting and time.monotonic() > give_up_at:
                names = ", ".join(waiting)
                raise Trouble(f"Not ready after {READY_WITHIN_S:.0f} s: {names} (see its log).")
            await asyncio.sleep(ASK_EVERY_S if waiting else 0)


async def is_ready(client: httpx.AsyncClient, address: str) -> bool:
    """Whether that process answers /health/ready with 200."""
    try:
        return (await client.get(f"{address}/health/ready")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
