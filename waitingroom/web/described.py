"""What the room's calls have in common in the served OpenAPI document."""

from typing import Any

from litestar.openapi.spec import SecurityScheme

from kernel.db import DatabaseAway
from kernel.errors import BadInput
from kernel.values import ID_MAX
from kernel.web.edge import CrossSite, TooLarge
from kernel.web.told import Refused, Said, Who
from waitingroom.abuse import TooManyJoins
from waitingroom.entries import EntryForeign, EntryForged, GenerationOver, HandedOver, NoEntry
from waitingroom.invitations import INVITE_REFUSALS
from waitingroom.line import RoomClosed, RoomFull, RoomOff, RoomSoon
from waitingroom.lottery import ALGORITHM, Published
from waitingroom.pace import Eta
from waitingroom.place import Place
from waitingroom.proof import ProofRequired
from waitingroom.snapshot import LaneStatus, Status
from waitingroom.store import RoomAway, RoomUnknown
from waitingroom.web.answers import ClaimAnswer, JoinAnswer

SCHEMES = {
    "entry": SecurityScheme(
        type="apiKey",
        security_scheme_in="header",
        name="Authorization",
        description="`Entry <entry>`: the signed queue entry that joining gave.",
    ),
    "entryCookie": SecurityScheme(
        type="apiKey",
        security_scheme_in="cookie",
        name="biletter_entry_{event}",
        description="The same entry, as joining set it: HttpOnly, one for each event.",
    ),
    "session": SecurityScheme(
        type="apiKey",
        security_scheme_in="cookie",
        name="biletter_session",
        description="An account that signed in at the shop. Without it, and without HTTP Basic, "
        "the place is the device's, whose cookie `biletter_device` is set by the first answer.",
    ),
    "invitation": SecurityScheme(
        type="apiKey",
        security_scheme_in="header",
        name="X-Queue-Invite",
        description="An invitation's token, which leads into the lane of the invited. It may stand "
        "in the body instead.",
    ),
    "pass": SecurityScheme(
        type="apiKey",
        security_scheme_in="header",
        name="X-Queue-Pass",
        description="The pass that a claim gave; it may stand in the original address or a cookie.",
    ),
    "service": SecurityScheme(
        type="http",
        scheme="bearer",
        bearer_format="JWT",
        description="A minute's token of a process of the same installation. No visitor has one.",
    ),
}
BEARER: Who = [{"entry": []}, {"entryCookie": []}]
VISITOR: Who = [{}, {"basicAuth": []}, {"session": []}, {"entry": []}, {"entryCookie": []}]
INVITED: Who = [*VISITOR, {"invitation": []}]
EVENT: dict[str, Any] = {
    "name": "event",
    "in": "path",
    "required": True,
    "description": "The event's id.",
    "schema": {"type": "integer", "format": "int64", "minimum": 1, "maximum": ID_MAX},
    "example": 1,
}
ROOM: Refused = (RoomUnknown, RoomAway)
# Whoever has a place must show it.
ENTRY: Refused = (NoEntry, EntryForged, EntryForeign, GenerationOver, *ROOM)
PLACE: Refused = (*ENTRY, HandedOver)
# Of calls that change something: browsers say where they come from, and bodies have an end.
WRITE: Refused = (CrossSite, TooLarge)
GUESSES = "Слишком много неверных паролей. Подождите немного и попробуйте снова."
CROWD = "Сейчас входит очень много людей. Попробуйте через несколько секунд."
# Of calls that ask who the visitor is. That is told to the room from outside (`visitor` of
# waitingroom.web.routes), so these words are what the product around it says.
WHO: Refused = (
    Said(401, "wrong-credentials", "Неверный адрес или пароль."),
    Said(403, "account-inactive", "Эта учётная запись отключена."),
    Said(429, "too-many-guesses", GUESSES, waits=True),
    Said(503, "passwords-busy", CROWD, waits=True),
    DatabaseAway,
)
WAITING = Place(
    number=1542,
    position=312,
    ahead=311,
    eta=Eta(180, 300),
    called=False,
    state="open",
    stage="waiting",
    poll_after_ms=15_000,
    progress=0.42,
    serving=1230,
    message="",
    age_s=0,
)
JOINED = JoinAnswer(
    entry="eyJhbGciOiJIUzI1NiIsInR5cCI6ImVudHJ5K2p3dCJ9.eyJldmVudCI6MSwibnVtIjoxNTQyfQ.c2ln",
    number=1542,
    position=312,
    ahead=311,
    called=False,
    state="open",
    stage="waiting",
    poll_after_ms=15_000,
)
AGAIN = "The place that this account or device has already: the same number, and a fresh entry."
CLAIMED = ClaimAnswer(
    "eyJhbGciOiJFZERTQSIsInR5cCI6InBhc3Mrand0Iiwia2lkIjoiMSJ9.eyJhdWQiOiIxIn0.c2ln",
    expires_at="2026-06-01T12:03:00.000Z",
    enter_url="https://shop.example/enter",
)
STATUS = Status(
    event=1,
    state="open",
    mode="auto",
    armed_at="2026-06-01T11:58:20.000Z",
    generation=1780315200,
    serving=1230,
    issued=50_211,
    living=34_820,
    rate_per_minute=600,
    in_flight=1_874,
    ceiling=2_000,
    prequeue_at="2026-06-01T11:00:00.000Z",
    opens_at="2026-06-01T12:00:00.000Z",
    closes_at="2026-06-01T18:00:00.000Z",
    time_zone="Asia/Almaty",
    message="",
    updated_at="2026-06-01T12:04:11.250Z",
    lane=LaneStatus(serving=12, issued=40, living=25, share=50),
)
DRAWN = Published(
    event=1,
    generation=1780311600,
    algorithm=ALGORITHM,
    commitment="7d3f1c2e9b80a4665d2f17c3e8a90b4416f7d25ce3b190887a5d4c3f2e1b0a99",
    outside_source="The last block hash of Bitcoin before noon",
    opens_at="2026-06-01T12:00:00.000Z",
    seed="0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0",
    outside="00000000000000000001d3c6c5a39f7cbd1f2e8b7a6954433221100ffeeddccb",
    count=50_000,
    drawn_at="2026-06-01T12:00:00.250Z",
)
PRIVATE = {"Cache-Control": "`no-store`"}
JOINED_HEADERS = {"Set-Cookie": "`biletter_entry_<event>`: the entry, for browsers.", **PRIVATE}
# A place that was lost in the same moment is told as such.
JOIN: Refused = (
    *(BadInput, *WHO, *WRITE, TooManyJoins, ProofRequired, *INVITE_REFUSALS),
    *(RoomOff, RoomSoon, RoomClosed, RoomFull),
    *(*ENTRY, HandedOver),
)
