"""Programs at an automatic room: they know no queue, and are let in through the same gate while
nobody waits. What sales asks on behalf of an account.
"""

import secrets
from types import MappingProxyType

from prometheus_client import Counter

from kernel.clock import Clock
from kernel.errors import Conflict
from kernel.keyring import Keyring
from kernel.lua import word
from waitingroom import keys
from waitingroom.claims import FULL_RETRY_S, JTI_BYTES, NOTICE_SLACK_MS, Admitted, Claims, gate_keys
from waitingroom.line import RoomOff
from waitingroom.passes import MS, Visit, sign_pass
from waitingroom.store import Store

# While people wait, or the room is stopped, asking more often tells nothing new.
WAITING_RETRY_MS = 1_000
PROGRAMS = Counter(
    "room_programs", "Programs without a place at automatic rooms", ["event", "outcome"]
)


class GateBusy(Conflict):
    """Сейчас без очереди не войти."""

    code = "gate-busy"
    told = MappingProxyType({"retry_after_s": 1, "reason": "waiting", "retry_ms": 1_000})


class QueueOnly(Conflict):
    """Сюда входят только по очереди."""

    code = "queue-only"


class Programs:
    def __init__(self, store: Store, claims: Claims, keyring: Keyring, own: Clock | None) -> None:
        """`own` is the gate's clock where it is not Redis's."""
        self._store, self._claims, self._keyring, self._own = store, claims, keyring, own

    async def admit(self, event: int, subject: str, over: str | None = None) -> Admitted:
        """The pass of a subject that has no place in line; the same one as long as its lease
        lives. `over` is the jti of a visit that the asker knows to have ended. Raises GateBusy
        (`reason`, `retry_ms`), RoomOff, QueueOnly, RoomUnknown, RoomAway.
        """
        if over:
            await self._claims.free(event, subject, over)
        who = keys.member(subject)
        reply = await self._store.run_in_line(
            "claim",
            event,
            lambda gen: gate_keys(event, gen, who),
            [
                who,
                0,
                secrets.token_urlsafe(JTI_BYTES),
                NOTICE_SLACK_MS,
                self._own.ms() if self._own else 0,
                0,
            ],
        )
        said = word(reply)
        PROGRAMS.labels(event, said).inc()
        if said in ("admitted", "repeat"):
            visit = Visit.parse(reply[1])
            return Admitted(sign_pass(self._keyring, event, subject, visit), visit)
        if said == "off":
            raise RoomOff
        if said == "queue":
            raise QueueOnly
        reason, retry_ms = said, WAITING_RETRY_MS
        if said == "rate":
            retry_ms = int(reply[1])
        elif said == "full":
            reason, retry_ms = "ceiling", FULL_RETRY_S * MS
        elif said == "shut":
            reason = reply[1].decode()
        raise GateBusy(retry_after_s=-(-retry_ms // MS), reason=reason, retry_ms=retry_ms)
