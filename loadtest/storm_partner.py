"""The strangers of the storm: what goes wrong with the gateway and the partner, and which events a
partner owns.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import asyncpg
import httpx

from loadtest.stand import Stand
from loadtest.visitor import GOOD_CARD

TENTH: Final = 0.1
PRESET: Final = "ten-percent-everything"
# A stand-in that was just killed is there again within seconds.
TRIES, PAUSE_S = 60, 0.5
TIMEOUT_S: Final = 30.0
COUNT_EVERY_S: Final = 2.0
# Late places stop the partner's hall for good, if we ever end an order that waits for one.
OURS: Final = {"poison_armed": True}
GATEWAY, PARTNER = 3, 4
CARD: Final = {
    "CardNumber": GOOD_CARD,
    "ExpiryDate": "12/39",
    "Cvv": "123",
    "CardholderName": "STORM",
    "Email": "storm@example.kz",
}
CONNECTED: Final = """
SELECT event_id FROM partner_hall
 WHERE EXISTS (SELECT FROM partner_place WHERE partner_place.event_id = partner_hall.event_id)
 ORDER BY event_id
"""


class Strangers:
    """The stand-ins' switchboards. They survive a killed stand-in; its counts begin anew, so they
    are looked at now and then.
    """

    def __init__(self, stand: Stand) -> None:
        self._boards = {
            name: f"{stand.base(port)}/sandbox/faults"
            for name, port in (("gateway", GATEWAY), ("partner", PARTNER))
        }
        self._gateway = stand.base(GATEWAY)
        # Of those that died since, and of those that live.
        self._before, self._now = Counter[str](), Counter[str]()

    async def rage(self, share: float, seed: int) -> None:
        """Each of their faults with this probability."""
        for name, board in self._boards.items():
            preset = (await ask("GET", f"{board}/presets"))[PRESET]
            wished = {what: share if to == TENTH else to for what, to in preset.items()}
            extra = OURS if name == "partner" else {}
            await ask("PUT", board, wished | extra | {"seed": seed})

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(COUNT_EVERY_S)
            await self._count()

    async def calm(self) -> Counter[str]:
        """All off; how many faults each has made, those just before a death left out."""
        await self._count()
        for name, board in self._boards.items():
            await ask("PUT", board, OURS if name == "partner" else {})
        return self._before + self._now

    async def post_again(self) -> None:
        """Whose card was in work when the gateway died posts it once more, if he has not yet: else
        nobody learns what became of it before the payment's time is over.
        """
        after: int | None = 0
        while after is not None:
            page = await ask(
                "GET", f"{self._gateway}/sandbox/books?status=FORM_SHOWED&after={after}"
            )
            for one in page["payments"]:
                card = CARD | {"PaymentId": one["paymentId"]}
                async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
                    await client.post(f"{self._gateway}/api/v1/paymentform/submit", data=card)
            after = page["next"]

    async def _count(self) -> None:
        for name, board in self._boards.items():
            count = sum((await ask("GET", f"{board}/struck")).values())
            if count < self._now[name]:
                self._before[name] += self._now[name]
            self._now[name] = count


async def ask(method: str, url: str, body: Mapping[str, Any] | None = None) -> Any:
    """The answer, of one that may have been killed a moment ago."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
        for left in reversed(range(TRIES)):
            try:
                answer = await client.request(method, url, json=body)
                return answer.raise_for_status().json()
            except httpx.TransportError:
                if not left:
                    raise
            await asyncio.sleep(PAUSE_S)
    return None


async def partners_events(stand: Stand) -> list[int]:
    """The events whose seats the partner's stand-in owns; the demonstration connects them a moment
    after the start.
    """
    db = await asyncpg.connect(stand.env["DATABASE_URL"], command_timeout=TIMEOUT_S)
    try:
        for _ in range(TRIES):
            rows = await db.fetch(CONNECTED)
            if rows:
                return [row["event_id"] for row in rows]
            await asyncio.sleep(PAUSE_S)
    finally:
        await db.close()
    raise RuntimeError("no event was connected to the partner's stand-in")
