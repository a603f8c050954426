"""Who may join, and at what cost: the same for the ordinary route, the page and the hot call."""

from typing import Any

import msgspec

from kernel.documents import UNREADABLE
from kernel.errors import BadInput
from kernel.web.links import Links
from waitingroom.abuse import Verb
from waitingroom.entries import Entry, EntryForeign, EntryForged, NoEntry
from waitingroom.invitations import Invitation
from waitingroom.line import Joined, RoomOff
from waitingroom.proof import bits_for
from waitingroom.room import Rooms
from waitingroom.web.answers import JoinBody
from waitingroom.web.entrance import (
    AnyRequest,
    device_subject,
    entry_in_header,
    entry_of,
    event_page,
)

# Far more than any proof needs.
JOIN_BODY_MAX = 4_096
# Where an invitation may stand instead of in the body.
INVITE_HEADER = "x-queue-invite"


class Comer(msgspec.Struct, frozen=True, gc=False):
    """Who asks for a place. `subject`: the account's, else the device's; `device`: of this very
    browser, whoever has signed in on it; `is_bearer`: the entry was shown on purpose.
    """

    subject: str
    device: str | None
    entry: Entry | None = None
    is_bearer: bool = False
    # The device's cookie, if it was looked for already.
    token: str | None = None


def comer_of(request: AnyRequest, rooms: Rooms, event: int, visitor: str) -> Comer:
    """Who bears an entry in the header is its subject. An entry in a cookie that is no longer
    any good doesn't stand in the way of a new place. Raises EntryForged, EntryForeign, RoomUnknown.
    """
    rooms.snapshot(event)
    if entry_in_header(request.headers.get("authorization")):
        bearer = entry_of(request, rooms, event)
        return Comer(bearer.subject, None, bearer, is_bearer=True)
    entry: Entry | None = None
    try:
        entry = entry_of(request, rooms, event)
    except (NoEntry, EntryForged, EntryForeign):
        entry = None
    return Comer(visitor, device_subject(request, rooms), entry)


def at_door(
    rooms: Rooms, event: int, verb: Verb, subject: str, scope: Any, *, device: str | None = None
) -> None:
    """Raises TooManyJoins, TooManyHeartbeats, TooManyClaims."""
    terms = rooms.snapshot(event).terms
    rooms.door.check(verb, subject, scope, event=event, terms=terms, device=device)


async def join_room(rooms: Rooms, event: int, comer: Comer, scope: Any, body: JoinBody) -> Joined:
    """An invitation is checked before anything shared is asked, and vouches for who brings it: no
    work is asked of them. Raises TooManyJoins, InviteForged and its like, ProofRequired, and what
    Rooms.join raises.
    """
    at_door(rooms, event, "join", comer.subject, scope, device=comer.token)
    invite: Invitation | None = None
    if body.invite:
        invite = rooms.invitations.read(event, body.invite, comer.subject)
    bits = 0 if invite else proof_bits(rooms, event, comer, scope)
    if bits:
        rooms.proofs.check(event, comer.subject, bits, body.proof)
    entry, device = comer.entry, comer.device
    return await rooms.join(event, comer.subject, entry=entry, device=device, invite=invite)


def room_off(links: Links, host: str, rooms: Rooms, event: int) -> RoomOff:
    """With the address where the visitor may go without waiting, if there is one."""
    page = event_page(links, host, event, rooms.snapshot(event).settings)
    return RoomOff(enter_url=page) if page else RoomOff()


def proof_bits(rooms: Rooms, event: int, comer: Comer, scope: Any) -> int:
    """How much work a join costs this visitor; nothing of whoever has a place in this line."""
    snapshot = rooms.snapshot(event)
    settings = snapshot.settings
    if settings.proof_bits == 0 or comer.is_bearer:
        return 0
    if rooms.door.is_allowed(comer.subject, scope, snapshot.terms):
        return 0
    entry = snapshot.present(comer.entry) if comer.entry else None
    if (
        entry is not None
        and entry.generation == settings.generation
        and entry.subject in (comer.subject, comer.device)
    ):
        return 0
    return bits_for(
        settings.proof_bits,
        is_known=comer.subject != comer.device,
        is_suspect=rooms.door.is_suspect(comer.subject, scope),
    )


def body_of(raw: bytes, invite: str | None = None) -> JoinBody:
    """What a join brings, all of which is checked before a number is given. `invite`: as it stood
    in the header. Raises BadInput.
    """
    if len(raw) > JOIN_BODY_MAX:
        raise BadInput
    if not raw.strip():
        return JoinBody(invite=invite)
    try:
        body = msgspec.json.decode(raw, type=JoinBody)
    except UNREADABLE as error:
        raise BadInput from error
    return body if body.invite else JoinBody(body.proof, invite)
