"""What the processes of our own installation tell and ask the room: never a visitor's call."""

from typing import Annotated, TypeVar

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency

from kernel.documents import UNREADABLE
from kernel.errors import BadInput, Forbidden
from kernel.service_tokens import ServiceTokens
from kernel.values import ID_MAX
from kernel.web.edge import CrossSite, TooLarge
from kernel.web.told import Answer, told
from waitingroom.line import RoomOff
from waitingroom.programs import GateBusy, QueueOnly
from waitingroom.room import Rooms
from waitingroom.store import RoomAway, RoomUnknown
from waitingroom.web.answers import headers_of
from waitingroom.web.entrance import AnyRequest

T = TypeVar("T")
AUDIENCE = "waitingroom"
BODY_MAX = 65_536
MS = 1000
Event = Annotated[int, msgspec.Meta(gt=0, le=ID_MAX)]
Teller = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._:-]{1,80}$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Seconds = Annotated[list[tuple[Count, Count]], msgspec.Meta(max_length=20)]


class NotAService(Forbidden):
    """Этот вызов не для посетителей."""

    code = "not-a-service"


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests by event: (age of the second in s, how many). Nothing is told by an empty list."""

    teller: Teller
    events: Annotated[dict[str, Seconds], msgspec.Meta(max_length=1_000)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`over`: the jti of a visit that has ended, in case its notice is still on the way."""

    event: Event
    subject: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{22}$")]
    over: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None


class Admission(msgspec.Struct, frozen=True):
    """A signed pass and its name."""

    token: str = msgspec.field(name="pass")
    jti: str


ADMITTED = Admission("eyJhbGciOiJFZERTQSJ9.eyJhdWQiOiIxIn0.c2ln", jti="4f9wq1Yk3mJ0w1h2")


@post(
    "/service/traffic",
    status_code=204,
    summary="How many came to events' pages and holds",
    **told(
        Answer(words="Heard. Events that have no room are passed over."),
        status=204,
        refusals=(NotAService, BadInput, CrossSite, TooLarge, RoomAway),
        body=Report,
        body_example=Report("sales-1:4711", {"1": [(0, 12), (1, 40)]}),
        body_needed=True,
        who=[{"service": []}],
        tags=["own processes"],
    ),
)
async def hear_traffic(request: AnyRequest, rooms: NamedDependency[Rooms]) -> None:
    """How many came to each event's pages and holds, told every second by each sales process."""
    report = await _read(request, rooms, Report)
    known = set(rooms.reader.events())
    for text, seconds in report.events.items():
        if text.isdecimal() and text.isascii() and int(text[:20]) in known:
            await rooms.hear(int(text), report.teller, seconds)


@post(
    "/service/admissions",
    status_code=201,
    summary="A pass for an account without a place, while nobody waits",
    **told(
        Answer(example=ADMITTED, headers={"Cache-Control": "`no-store`"}),
        status=201,
        refusals=(
            *(NotAService, BadInput, CrossSite, TooLarge, RoomUnknown, RoomAway),
            *(GateBusy, QueueOnly, RoomOff),
        ),
        body=Asked,
        body_example=Asked(1, "c3ViamVjdG9mc29tZWJvZA"),
        body_needed=True,
        who=[{"service": []}],
        tags=["own processes"],
    ),
)
async def admit_program(request: AnyRequest, rooms: NamedDependency[Rooms]) -> Response[Admission]:
    """A pass for an account that has no place in line. Raises GateBusy, QueueOnly, RoomOff."""
    asked = await _read(request, rooms, Asked)
    if asked.event not in rooms.reader.events():
        raise RoomUnknown
    admitted = await rooms.admit(asked.event, asked.subject, asked.over)
    answer = Admission(admitted.token, admitted.visit.jti)
    return Response(answer, status_code=201, headers=headers_of())


async def _read(request: AnyRequest, rooms: Rooms, shape: type[T]) -> T:
    """Raises NotAService before anything else, BadInput."""
    tokens = ServiceTokens(rooms.keyring, lambda: rooms.clock.ms() / MS)
    if not tokens.is_good(AUDIENCE, request.headers.get("authorization")):
        raise NotAService
    raw = await request.body()
    if len(raw) > BODY_MAX:
        raise BadInput
    try:
        return msgspec.json.decode(raw, type=shape)
    except UNREADABLE as error:
        raise BadInput from error
