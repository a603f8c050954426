"""What an operator decides about a room, and which values make sense."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from kernel.errors import Refusal
from kernel.text import has_unseen
from kernel.values import ID_MAX

# More a minute than any hall has seats for several of.
RATE_MAX = 1_000_000
CEILING_MAX = 1_000_000
MESSAGE_MAX = 280
TITLE_MAX = 300
# The burst is what the gate lets through at once after a quiet moment.
BURST_S = 1
MINUTE_S = 60

Mode = Literal["on", "off"]
State = Literal["open", "paused", "held", "closed", "drained"]
Instant = Annotated[int, msgspec.Meta(ge=0, le=ID_MAX)]


class BadSetting(Refusal):
    """Недопустимое значение настройки очереди."""

    status, code = 422, "bad-setting"


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times are epoch milliseconds, spans are seconds."""

    # off: nobody needs a pass. on: everybody does.
    mode: Mode = "on"
    # open: people join, are called and enter. paused: nobody new is called, the called may enter.
    # held: nobody enters. drained: nobody joins, the line is served to its end. closed: nothing.
    state: State = "open"
    rate_per_minute: Annotated[int, msgspec.Meta(ge=1, le=RATE_MAX)] = 600
    # How many may be in flight: admitted and not yet finished.
    ceiling: Annotated[int, msgspec.Meta(ge=1, le=CEILING_MAX)] = 2000
    # The longest visit that a pass allows.
    lease_seconds: Annotated[int, msgspec.Meta(ge=60, le=7200)] = 900
    # How long a pass may be used to enter.
    pass_seconds: Annotated[int, msgspec.Meta(ge=30, le=3600)] = 180
    # How long a called visitor may take to come; time in which nobody could enter doesn't count.
    grace_seconds: Annotated[int, msgspec.Meta(ge=30, le=3600)] = 300
    # What the waiting are told. Empty: nothing.
    message: Annotated[str, msgspec.Meta(max_length=MESSAGE_MAX)] = ""
    # The event's name on the queue page. Empty: none is shown.
    title: Annotated[str, msgspec.Meta(max_length=TITLE_MAX)] = ""
    # The colours of the event's picture on the queue page, one of eight. None: no picture.
    theme: Annotated[int, msgspec.Meta(ge=0, le=7)] | None = None
    # How hard a join is for a browser that nobody vouches for: zero bits of SHA-256 (see proof.py).
    # 0: no work is asked of anybody; 16 takes a phone a second or so.
    proof_bits: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    # When sales open, for the page. None: not said.
    opens_at: Instant | None = None
    # Which line of people this is: a reset starts a new one. Never smaller than before.
    generation: Instant = 0
    # Raised by every change; a change made to an older version is refused.
    version: Instant = 0
    updated_at: Instant = 0

    @property
    def burst(self) -> int:
        """Permits that may gather while nobody comes; at least one."""
        return max(1, self.rate_per_minute * BURST_S // MINUTE_S)


# What only the room itself writes.
OWN_FIELDS = frozenset({"generation", "version", "updated_at"})


def changed(settings: RoomSettings, changes: Mapping[str, Any]) -> RoomSettings:
    """The settings with these fields changed, or BadSetting naming the first wrong one."""
    for field in changes:
        if field in OWN_FIELDS or field not in RoomSettings.__struct_fields__:
            raise BadSetting(f"Настройки {field[:40]!r} нет.", setting=field[:40])
    try:
        fields = msgspec.structs.asdict(settings) | dict(changes)
        new = msgspec.convert(fields, RoomSettings, strict=True)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].strip("`") if "$." in str(error) else "?"
        raise BadSetting(f"Недопустимое значение: {field}.", setting=field) from error
    for field in ("message", "title"):
        if has_unseen(getattr(new, field)):
            raise BadSetting("Сообщение — одна строка обычного текста.", setting=field)
    return new


def to_hash(settings: RoomSettings) -> list[str]:
    """Field, value, field, value, … as Redis keeps them; None is an empty string."""
    flat: list[str] = []
    for field, value in msgspec.structs.asdict(settings).items():
        flat += [field, "" if value is None else str(value)]
    return flat


def from_hash(flat: list[bytes]) -> RoomSettings:
    """The settings out of an HGETALL reply. Fields of a newer version are passed over."""
    pairs = dict(zip(flat[::2], flat[1::2], strict=True))
    known = {
        field: text.decode()
        for field in RoomSettings.__struct_fields__
        if (text := pairs.get(field.encode())) is not None
    }
    fields: dict[str, Any] = dict(known)
    for field in ("opens_at", "theme"):
        fields[field] = fields.get(field) or None
    return msgspec.convert(fields, RoomSettings, strict=False)
