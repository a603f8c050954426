"""Claims: who was called is let in, once, at the set rate and under the ceiling."""

import secrets
from types import MappingProxyType
from typing import Any

import msgspec
import structlog

from kernel.clock import Clock
from kernel.errors import Conflict, Refusal
from kernel.keyring import Keyring
from kernel.lua import Reply, word
from waitingroom import keys
from waitingroom.entries import Entry, NoEntry
from waitingroom.line import RoomOff
from waitingroom.passes import MS, Visit, sign_pass
from waitingroom.reader import Reader
from waitingroom.signs import Signs
from waitingroom.store import Store

# The word that a pass was used arrives a little after its last moment.
NOTICE_SLACK_MS = 15_000
JTI_BYTES = 16
# Longer than the longest lease.
FREED_REMEMBERED_S = 3 * 3600
# When somebody will finish is not known; those at the gate ask again about this often.
FULL_RETRY_S = 3
SHUT_RETRY_S = 10

log = structlog.get_logger()


class NotCalled(Conflict):
    """Ваш номер ещё не вызван."""

    code = "not-called"
    told = MappingProxyType({"retry_after_s": 1, "serving": 41})


class GateFull(Conflict):
    """Ваш номер вызван, но сейчас внутри нет места. Ваша очередь сохраняется."""

    code = "gate-full"
    told = MappingProxyType({"retry_after_s": 3, "reason": "ceiling"})


class RoomShut(Conflict):
    """Вход временно остановлен. Ваша очередь сохраняется."""

    code = "gate-full"
    told = MappingProxyType({"retry_after_s": 10, "reason": "held"})


class Lapsed(Refusal):
    """Время входа по этому номеру прошло."""

    status, code = 410, "lapsed"


class Admitted(msgspec.Struct, frozen=True):
    """`token` is the signed pass."""

    token: str
    visit: Visit


class Claims:
    def __init__(  # noqa: PLR0917  # the parts of a room, wired in one place
        self,
        store: Store,
        reader: Reader,
        signs: Signs,
        keyring: Keyring,
        clock: Clock,
        own: Clock | None,
    ) -> None:
        """`own` is the gate's clock where it is not Redis's, which only tests want."""
        self._store = store
        self._memory, self._is_staff = reader.memory, reader.is_staff
        self._signs = signs
        self._keyring = keyring
        self._clock = clock
        self._own = own

    async def claim(self, entry: Entry) -> Admitted:
        """The pass; the same one as long as its lease lives. Raises NotCalled, GateFull,
        RoomShut, Lapsed, NoEntry, RoomOff, GenerationOver.
        """
        self._memory.check_owner(entry)
        who, event = keys.member(entry.subject), entry.event
        reply = await self._store.run_for_entry(
            "claim",
            entry,
            lambda gen: gate_keys(event, gen, who),
            [
                who,
                entry.number,
                secrets.token_urlsafe(JTI_BYTES),
                NOTICE_SLACK_MS,
                self._own.ms() if self._own else 0,
                int(self._is_staff(entry)),
            ],
        )
        if word(reply) == "passed":
            await self._signs.beat(entry, is_passed=True)
        if word(reply) not in ("admitted", "repeat"):
            raise _refusal(reply)
        visit = Visit.parse(reply[1])
        self._memory.used(event, visit.generation, visit.number, lane=bool(entry.lane))
        return Admitted(sign_pass(self._keyring, event, entry.subject, visit), visit)

    async def keep(self, event: int, subject: str, until_ms: int, jti: str | None = None) -> bool:
        """The pass was used and the visit may last until then. False: the lease is no longer
        there, or belongs to another pass. Raises RoomAway: tell it again.
        """
        reply = await self._store.run(
            "keep",
            [keys.settings(event), keys.leases(event), keys.visits(event)],
            [keys.member(subject), jti or "", until_ms, self._now_ms()],
        )
        if word(reply) == "over":
            log.warning("ceiling exceeded by a late notice", event_id=event)
        return word(reply) in ("kept", "over")

    async def free(self, event: int, subject: str, jti: str | None = None) -> bool:
        """The visit has ended. False: it had already, or another pass has the lease."""
        reply = await self._store.run(
            "free",
            [keys.leases(event), keys.visits(event), keys.freed(event)],
            [keys.member(subject), jti or "", FREED_REMEMBERED_S],
        )
        return word(reply) == "freed"

    def _now_ms(self) -> int:
        return (self._own or self._clock).ms()


def gate_keys(event: int, generation: keys.LineId, who: bytes) -> list[str]:
    """Of the command `claim`."""
    return [
        keys.settings(event),
        keys.line(event, generation),
        keys.places(event, generation, who),
        keys.done(event, generation),
        keys.knocked(event, generation),
        keys.leases(event),
        keys.visits(event),
        keys.bucket(event),
        keys.called(event, generation),
        keys.standing(event, generation),
        keys.came(event, generation),
        keys.left(event, generation),
        keys.owners(event, generation),
    ]


def _refusal(reply: Reply) -> Refusal:
    said: dict[str, Any] = {
        "off": RoomOff,
        "gone": NoEntry,
        "over": Lapsed,
        "lapsed": Lapsed,
    }
    if word(reply) in said:
        refusal: Refusal = said[word(reply)]()
        return refusal
    if word(reply) in ("not-called", "passed"):
        return NotCalled(retry_after_s=1, serving=reply[1])
    if word(reply) == "shut":
        return RoomShut(retry_after_s=SHUT_RETRY_S, reason=reply[1].decode())
    if word(reply) == "rate":
        return GateFull(retry_after_s=-(-reply[1] // MS), reason="rate")
    assert word(reply) == "full", reply
    return GateFull(retry_after_s=FULL_RETRY_S, reason="ceiling")
