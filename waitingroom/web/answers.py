"""What the room's calls answer, as they go over the wire."""

from typing import Any

import msgspec

from waitingroom.claims import Admitted, Lapsed
from waitingroom.line import Joined
from waitingroom.place import Place, Stage
from waitingroom.plan import Word
from waitingroom.snapshot import iso

MS = 1000


class JoinAnswer(msgspec.Struct, frozen=True, gc=False):
    """A place, and the signed entry that proves it. In the pre-queue number, position and ahead
    are null until the draw.
    """

    entry: str
    number: int | None
    position: int | None
    ahead: int | None
    called: bool
    state: Word
    stage: Stage
    poll_after_ms: int
    # The number in the lottery, for who was in the pre-queue.
    entrant: int | None = None
    # Whether the place is in the lane of the invited: number and position are of that lane.
    invited: bool = False


class ClaimAnswer(msgspec.Struct, frozen=True):
    """`pass` is good until `expires_at`. `enter_url` is where to take it: to the shop's entrance by
    a POST of form or JSON, to the page of somebody else's site by X-Queue-Pass; null if the room
    was told of no site.
    """

    token: str = msgspec.field(name="pass")
    expires_at: str
    enter_url: str | None


class JoinBody(msgspec.Struct, forbid_unknown_fields=True):
    """`proof` answers a challenge, where one was given; `invite` is an invitation's token."""

    proof: str | None = None
    invite: str | None = None


def join_answer(joined: Joined) -> JoinAnswer:
    place = joined.place
    return JoinAnswer(
        entry=joined.token,
        number=place.number,
        position=place.position,
        ahead=place.ahead,
        called=place.called,
        state=place.state,
        stage=place.stage,
        poll_after_ms=place.poll_after_ms,
        entrant=place.entrant,
        invited=place.invited,
    )


def claim_answer(admitted: Admitted, enter_url: str | None) -> ClaimAnswer:
    return ClaimAnswer(admitted.token, iso(admitted.visit.exp * MS), enter_url)


def place_answer(place: Place) -> Place:
    """The place, or Lapsed: whoever came too late, or was inside and is no longer, needs a new
    number.
    """
    if place.stage in ("lapsed", "over"):
        raise Lapsed
    return place


def headers_of(**more: Any) -> dict[str, str]:
    """Nothing about one visitor may be kept by a cache."""
    return {"Cache-Control": "no-store", **more}
