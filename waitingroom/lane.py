"""The lane of the invited: a second line of people, before the same gate as the line."""

from kernel.clock import Clock
from kernel.lua import Arg, word
from waitingroom import keys
from waitingroom.cohort import Cohort
from waitingroom.entries import Entry
from waitingroom.invitations import INVITES, Invitation, InviteUsed
from waitingroom.passes import MS
from waitingroom.reader import Reader
from waitingroom.store import Store

# Clocks differ; an invitation must not be forgotten while somebody takes it for good.
REMEMBER_MORE_S = 3_600


class Lane:
    def __init__(self, store: Store, reader: Reader, cohort: Cohort, clock: Clock) -> None:
        self._store, self._reader, self._cohort, self._clock = store, reader, cohort, clock

    async def admits(
        self, event: int, subject: str, invite: Invitation | None, entry: Entry | None
    ) -> bool:
        """Whether the subject's place is in the lane, or will be. Raises InviteUsed."""
        snapshot = self._reader.of(event)
        is_staff = snapshot.settings.is_staff(subject)
        may_stand = snapshot.has_lane or (entry is not None and entry.lane > 0)
        if invite is None and not may_stand and not is_staff:
            return False
        # Whoever proves a place in a lane that was voided since needs no second invitation.
        was = entry.lane if entry is not None and entry.subject == subject else 0
        is_back = 0 < was < snapshot.settings.lane_id.lane
        who = keys.member(subject)
        now_ms = self._clock.ms()
        remember_s = invite.exp - now_ms // MS + REMEMBER_MORE_S if invite else 0
        args: list[Arg] = [who, invite.jti if invite else "", remember_s, now_ms]
        reply = await self._store.run_in_line(
            "invite",
            event,
            lambda lane: [
                keys.settings(event),
                keys.invites(event),
                keys.places(event, lane, who),
                keys.done(event, lane),
                keys.leases(event),
            ],
            [*args, int(is_staff), int(is_back)],
            lane=True,
        )
        if invite is not None:
            INVITES.labels(invite.lane, word(reply)).inc()
        if word(reply) in ("used", "spent"):
            raise InviteUsed(reason=word(reply))
        return word(reply) in ("may", "stands")

    async def leave_line(self, event: int, subject: str) -> None:
        """Whoever has a place in the lane has none in the line."""
        await self._cohort.settle(event, subject)
        who, now_ms = keys.member(subject), self._clock.ms()
        await self._store.run_in_line(
            "yield",
            event,
            lambda line: [
                keys.settings(event),
                keys.line(event, line),
                keys.places(event, line, who),
                keys.done(event, line),
                keys.left(event, line),
                *keys.live_pair(event, line, now_ms),
                keys.owners(event, line),
            ],
            [who],
        )
