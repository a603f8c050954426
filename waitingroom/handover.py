"""Handing a place over to another device by a link: signed, short-lived, good once."""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from kernel.clock import Clock
from kernel.errors import Conflict, Forbidden, Refusal
from kernel.keyring import Keyring
from kernel.lua import Reply, word
from waitingroom import keys
from waitingroom.claims import Lapsed
from waitingroom.entries import Entry
from waitingroom.hands import Hands, passing
from waitingroom.line import Line
from waitingroom.store import Store

LIFE_S = 600
# A used link is remembered longer than it could be good, by clocks that differ.
REMEMBER_S = 2 * LIFE_S
LINK_MAX = 300
JTI_BYTES = 9
MAC_BYTES = 16
# Of a link's text, its signature apart.
PARTS = 10


class HandoverForged(Forbidden):
    """Эта ссылка выдана не нами."""

    code = "handover-forged"


class HandoverForeign(Forbidden):
    """Эта ссылка — из другой очереди."""

    code = "handover-foreign"


class HandoverExpired(Refusal):
    """Срок ссылки истёк. Создайте новую там, где вы стоите в очереди."""

    status, code = 410, "handover-expired"


class HandoverUsed(Refusal):
    """По этой ссылке место уже забрали."""

    status, code = 410, "handover-used"


class HandoverGone(Refusal):
    """Этого места больше нет: из очереди вышли, по нему вошли или его передали."""

    status, code = 410, "handover-gone"


class HandoverNeedless(Conflict):
    """У вас уже есть место ближе к началу, оно остаётся за вами."""

    code = "handover-needless"


class Link(msgspec.Struct, frozen=True):
    """What a link says: whose place, until when (epoch seconds), and its own name."""

    entry: Entry
    expires_s: int
    jti: str


class Handovers:
    def __init__(
        self, store: Store, line: Line, hands: Hands, keyring: Keyring, clock: Clock
    ) -> None:
        self._store = store
        self._cohort = hands.cohort
        self._line = line
        self._secret = keyring.secret("handover")
        self._clock = clock
        self._hands = hands

    async def offer(self, entry: Entry) -> tuple[str, int]:
        """A link's token, and until when it is good (epoch ms). Raises NoEntry, GenerationOver,
        Lapsed: there is nothing to hand over.
        """
        place = await self._line.place(entry)
        if place.stage not in ("waiting", "called"):
            raise Lapsed
        expires_s = self._clock.ms() // 1000 + LIFE_S
        jti = secrets.token_urlsafe(JTI_BYTES)
        told: list[Any] = [entry.event, entry.gen, entry.num, entry.sub, entry.srv]
        told += [int(entry.lot), entry.lane, entry.hands, expires_s, jti]
        body = ".".join(str(part) for part in told)
        return f"{body}.{self._mac(body)}", expires_s * 1000

    def read(self, event: int, token: str) -> Link:
        """Raises HandoverForged, HandoverForeign, HandoverExpired. Whether it was used is not
        known before `take`.
        """
        body, _, mac = token.rpartition(".")
        if len(token) > LINK_MAX or not token.isascii():
            raise HandoverForged
        if not hmac.compare_digest(mac, self._mac(body)):
            raise HandoverForged
        parts = body.split(".")
        if len(parts) != PARTS:  # as an earlier version wrote it
            raise HandoverExpired
        of, gen, num, sub, srv, lot, lane, hands, expires_s, jti = parts
        if int(of) != event:
            raise HandoverForeign
        now_s = self._clock.ms() // 1000
        if now_s >= int(expires_s):
            raise HandoverExpired
        numbers = int(lane), int(hands)
        entry = Entry(event, int(gen), int(num), sub, now_s, int(srv), lot == "1", *numbers)
        return Link(entry, int(expires_s), jti)

    async def take(self, event: int, token: str, subject: str) -> Entry:
        """The place is the subject's from now on. Who opens their own link keeps their place and
        the link. Raises what `read` raises, HandoverUsed, HandoverGone, HandoverNeedless,
        GenerationOver, RoomAway.
        """
        link = self.read(event, token)
        given = link.entry
        if given.subject == subject:
            return given
        await self._cohort.settle(event, subject)
        # One subject has one turn: the lane's, if there is one.
        if not given.lane and await self._line.lane.admits(event, subject, None, None):
            raise HandoverNeedless
        reply, moved = await self._cohort.following(self._moving(link, subject))(given)
        refusals: dict[str, type[Refusal]] = {
            "used": HandoverUsed,
            "gone": HandoverGone,
            "better": HandoverNeedless,
        }
        if word(reply) in refusals:
            raise refusals[word(reply)]
        assert word(reply) == "moved", reply
        if given.lane:
            await self._line.lane.leave_line(event, subject)
        return self._hands.moved(moved, subject, int(reply[1]))

    def _moving(
        self, link: Link, subject: str
    ) -> Callable[[Entry], Awaitable[tuple[Reply, Entry]]]:
        event, taker = link.entry.event, keys.member(subject)

        async def move(entry: Entry) -> tuple[Reply, Entry]:
            giver = keys.member(entry.subject)
            reply = await self._store.run_for_entry(
                "handover",
                entry,
                lambda line: [
                    *passing(event, line, giver, taker),
                    keys.link(event, line, link.jti),
                ],
                [giver, taker, entry.number, REMEMBER_S, entry.hands],
            )
            return reply, entry

        return move

    def _mac(self, body: str) -> str:
        raw = hmac.digest(self._secret, body.encode(), "sha256")[:MAC_BYTES]
        return urlsafe_b64encode(raw).rstrip(b"=").decode()
