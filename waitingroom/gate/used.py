"""Whose a pass is: whoever used it first. Others who show it are refused."""

import base64
import hashlib
import time
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol

from waitingroom.gate.visits import Pass, Refused, Visit

# Visits of one process remembered at once; a pass forgotten early can be used again by somebody
# else only within the minutes of its own life.
REMEMBERED_MAX = 100_000
FINGERPRINT_BYTES = 16

Scope = MutableMapping[str, Any]


class UsedPasses(Protocol):
    """Remembers who used a pass. Several processes or hosts need one memory that they share."""

    async def holder(self, jti: str) -> str | None:
        """The visitor who used the pass; None: nobody yet."""
        ...

    async def take(self, jti: str, visitor: str, until_s: int) -> str:
        """Note the first use, atomically, until then (epoch seconds). Whose the pass is now."""
        ...


async def visit_by(good: Pass, used: UsedPasses, visitor: str, now_s: float) -> Visit:
    """The visit that a good pass begins, or has begun when it has expired since. Raises Refused."""
    if now_s < good.exp:
        holder: str | None = await used.take(good.jti, visitor, good.lease)
    else:
        holder = await used.holder(good.jti)
    if holder is None or now_s >= good.lease:
        raise Refused("pass-expired", 429)
    if holder != visitor:
        raise Refused("pass-used", 403)
    return Visit(event=good.aud, jti=good.jti, sub=good.sub, num=good.num, until=good.lease)


class MemoryUsedPasses:
    """For one process."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._holders: dict[str, tuple[str, int]] = {}

    async def holder(self, jti: str) -> str | None:
        held = self._holders.get(jti)
        return held[0] if held and held[1] > self._now() else None

    async def take(self, jti: str, visitor: str, until_s: int) -> str:
        held = await self.holder(jti)
        if held is not None:
            return held
        if len(self._holders) >= REMEMBERED_MAX:
            self._sweep()
        self._holders[jti] = (visitor, until_s)
        return visitor

    def _sweep(self) -> None:
        """Forget what is over; if that isn't enough, the oldest tenth."""
        now = self._now()
        self._holders = {jti: held for jti, held in self._holders.items() if held[1] > now}
        if len(self._holders) >= REMEMBERED_MAX:
            for jti in list(self._holders)[: REMEMBERED_MAX // 10]:
                del self._holders[jti]


def fingerprint(scope: Scope) -> str:
    """Who shows a pass, as far as one can tell: the credentials if there are any, else the address
    and the browser.
    """
    headers = dict(scope["headers"])
    who = headers.get(b"authorization")
    if who is None:
        host = scope["client"][0] if scope.get("client") else ""
        who = b"\n".join([host.encode(), headers.get(b"user-agent", b"")])
    digest = hashlib.sha256(who).digest()[:FINGERPRINT_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
