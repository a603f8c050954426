"""What an operator decides about a room, and which values make sense."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from kernel.errors import Refusal
from kernel.text import has_unseen
from kernel.values import ID_MAX
from kernel.web.links import is_plain
from waitingroom.keys import LaneId, is_subject
from waitingroom.rules import RULES
from waitingroom.terms import Terms, read_network, terms_of

# More a minute than any hall has seats for several of.
RATE_MAX = 1_000_000
CEILING_MAX = 1_000_000
# More requests in five seconds than a site answers; as many places as the country has people.
REQUESTS_MAX = 10_000_000
PLACES_MAX = 20_000_000
MESSAGE_MAX = 280
TITLE_MAX = 300
OUTSIDE_MAX = 200
SITE_URL_MAX = 500
# Of a list written as words: some fifty of them.
LIST_MAX = 2_000
LISTED_MAX = 50
# The end of the year 2099, in epoch milliseconds.
TIME_MAX = 4_102_444_799_999
# The burst is what the gate lets through at once after a quiet moment.
BURST_S = 1
MINUTE_S = 60

Mode = Literal["on", "off", "scheduled", "auto"]
State = Literal["open", "paused", "held", "closed", "drained"]
Instant = Annotated[int, msgspec.Meta(ge=0, le=ID_MAX)]
Moment = Annotated[int, msgspec.Meta(gt=0, le=TIME_MAX)]
Line = Annotated[str, msgspec.Meta(max_length=OUTSIDE_MAX)]
Requests = Annotated[int, msgspec.Meta(ge=1, le=REQUESTS_MAX)]


class BadSetting(Refusal):
    """Недопустимое значение настройки очереди."""

    status, code = 422, "bad-setting"


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Times are epoch milliseconds, spans are seconds."""

    # off: nobody needs a pass. on: everybody does. scheduled: everybody does, and nobody is called
    # before opens_at; then the lottery is drawn and the mode becomes on by itself. auto: off while
    # few come; on once it is armed, when programs are let in without a place while nobody waits.
    mode: Mode = "on"
    # open: people join, are called and enter. paused: nobody new is called, the called may enter.
    # held: nobody enters. drained: nobody joins, the line is served to its end. closed: nothing.
    state: State = "open"
    rate_per_minute: Annotated[int, msgspec.Meta(ge=1, le=RATE_MAX)] = 600
    # How many may be in flight: admitted and not yet finished.
    ceiling: Annotated[int, msgspec.Meta(ge=1, le=CEILING_MAX)] = 2000
    # Which part of those called are invited, in per cent, as long as people wait in both lines.
    lane_share: Annotated[int, msgspec.Meta(ge=1, le=100)] = 50
    # How many may wait to be called at once; nobody more gets a place. None: as many as come.
    places_max: Annotated[int, msgspec.Meta(ge=1, le=PLACES_MAX)] | None = None
    # An automatic room is armed by so many requests within five seconds, and disarmed when for
    # disarm_seconds fewer than disarm_requests came within five seconds, and nobody waits.
    arm_requests: Requests = 300
    disarm_requests: Requests = 100
    disarm_seconds: Annotated[int, msgspec.Meta(ge=10, le=86_400)] = 120
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
    # The event's page on somebody else's site that the room stands before: an absolute address on
    # a site that the installation knows. Empty: the event's page in the shop, if there is one.
    site_url: Annotated[str, msgspec.Meta(max_length=SITE_URL_MAX)] = ""
    # The colours of the event's picture on the queue page, one of eight. None: no picture.
    theme: Annotated[int, msgspec.Meta(ge=0, le=7)] | None = None
    # How hard a join is for a browser that nobody vouches for: zero bits of SHA-256 (see proof.py).
    # 0: no work is asked of anybody; 16 takes a phone a second or so.
    proof_bits: Annotated[int, msgspec.Meta(ge=0, le=20)] = 0
    # Subjects, with spaces between, that are let in without having been called: through the same
    # gate, under its rate and ceiling, also before the opening.
    staff: Annotated[str, msgspec.Meta(max_length=LIST_MAX)] = ""
    # Networks like 192.0.2.0/24, with spaces between, whose joins meet no budget at the door and no
    # proof of work. Neither do those of staff.
    allowed_networks: Annotated[str, msgspec.Meta(max_length=LIST_MAX)] = ""
    # Rules at the door (waitingroom.abuse.RULES), with spaces between, that refuse nobody here and
    # only count.
    count_only: Annotated[str, msgspec.Meta(max_length=LIST_MAX)] = ""
    # From when places in the pre-queue are given; all who have one at opens_at are drawn by lot.
    # None: there is no pre-queue, the line begins at the opening.
    prequeue_at: Moment | None = None
    # When sales open. A room that is not scheduled only tells it.
    opens_at: Moment | None = None
    # When the room closes by itself. None: never.
    closes_at: Moment | None = None
    # The venue's: in which times are told to people.
    time_zone: str = "Asia/Almaty"
    # Where the lottery's value from outside will come from, told beforehand, and the value itself,
    # as it is when the pre-queue ends. Empty: there is none (waitingroom.lottery says what for).
    outside_source: Line = ""
    outside: Line = ""
    # The lottery may be drawn without the value whose source was named; told to everybody.
    without_outside: bool = False
    # Which line of people this is: a reset starts a new one. Never smaller than before.
    generation: Instant = 0
    # Raised by every change; a change made to an older version is refused.
    version: Instant = 0
    updated_at: Instant = 0
    # The generation whose places are drawn by lot: this line's while the draw is to come, the one
    # before this line's once it was made, since a draw begins the next generation. 0: none.
    lottery: Instant = 0
    # Since when an automatic room is armed (lua/watch.lua). 0: it is not.
    armed_at: Instant = 0
    # The closes_at that was carried out; the room may be opened again after it.
    closed_for: Instant = 0

    @property
    def terms(self) -> Terms:
        """What the door knows of the room."""
        return terms_of(self.staff, self.allowed_networks, self.count_only)

    def is_staff(self, subject: str) -> bool:
        return subject in self.terms.staff

    @property
    def lane_id(self) -> LaneId:
        """The lane of the invited: the draw leaves it as it was."""
        return LaneId(self.generation, self.lottery or self.generation)

    @property
    def is_off(self) -> bool:
        """Nobody needs a pass now."""
        return self.mode == "off" or (self.mode == "auto" and not self.armed_at)

    @property
    def awaits_draw(self) -> bool:
        """Whether numbers are entrants' numbers, and their places still unknown."""
        return 0 < self.lottery == self.generation

    @property
    def awaits_value(self) -> bool:
        """Whether the lottery can't be drawn before the value from outside is given."""
        told = bool(self.outside) or self.without_outside or not self.outside_source
        return self.awaits_draw and not told

    @property
    def is_drawn(self) -> bool:
        return 0 < self.lottery == self.generation - 1

    @property
    def begins_at(self) -> int:
        """From when a scheduled room gives places (epoch ms)."""
        return self.prequeue_at or self.opens_at or 0

    @property
    def burst(self) -> int:
        """Permits that may gather while nobody comes; at least one."""
        return max(1, self.rate_per_minute * BURST_S // MINUTE_S)


# What only the room itself writes.
OWN_FIELDS = frozenset({"generation", "version", "updated_at", "lottery", "closed_for", "armed_at"})
# Empty in Redis when not set.
MOMENTS = ("prequeue_at", "opens_at", "closes_at")
UNSET = (*MOMENTS, "theme", "places_max")


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
    for field in ("message", "title", "outside_source", "outside"):
        if has_unseen(getattr(new, field)):
            raise BadSetting("Нужна одна строка обычного текста.", setting=field)
    if new.disarm_requests > new.arm_requests:
        raise BadSetting(
            "Очередь выключалась бы раньше, чем включилась.", setting="disarm_requests"
        )
    if new.site_url and not is_address(new.site_url):
        raise BadSetting("Нужен адрес вида https://shop.example/concert.", setting="site_url")
    _check_lists(new)
    _check_times(new)
    return new


def is_address(url: str) -> bool:
    """Of a page on the web, and nothing in it that a browser reads differently from us."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_web and is_plain(url) and not parts.fragment and "@" not in parts.netloc


def _check_lists(new: RoomSettings) -> None:
    """Raises BadSetting for a word that is none of its list's."""
    if not all(is_subject(word) for word in new.staff.split()):
        raise BadSetting("Такой учётной записи нет.", setting="staff")
    if not set(new.count_only.split()) <= set(RULES):
        raise BadSetting("Такого правила нет.", setting="count_only")
    try:
        networks = [read_network(word) for word in new.allowed_networks.split()]
    except ValueError as error:
        raise BadSetting(
            "Нужны сети вида 192.0.2.0/24, не шире /8 (IPv6: /32).", setting="allowed_networks"
        ) from error
    if max(len(networks), len(new.staff.split())) > LISTED_MAX:
        wrong = "staff" if len(networks) <= LISTED_MAX else "allowed_networks"
        raise BadSetting("Слишком длинный список.", setting=wrong)


def _check_times(new: RoomSettings) -> None:
    """Raises BadSetting unless the moments follow one another."""
    try:
        ZoneInfo(new.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSetting("Такого часового пояса нет.", setting="time_zone") from error
    if new.mode == "scheduled" and new.opens_at is None:
        raise BadSetting("Скажите, когда открыть.", setting="opens_at")
    if new.prequeue_at and (new.opens_at is None or new.prequeue_at > new.opens_at):
        raise BadSetting("Предочередь начинается до открытия.", setting="prequeue_at")
    if new.closes_at and new.closes_at <= (new.opens_at or new.prequeue_at or 0):
        raise BadSetting("Закрытие должно быть после открытия.", setting="closes_at")


def to_hash(settings: RoomSettings) -> list[str]:
    """Field, value, field, value, … as Redis keeps them; None is an empty string."""
    flat: list[str] = []
    for field, value in msgspec.structs.asdict(settings).items():
        told = int(value) if isinstance(value, bool) else value
        flat += [field, "" if told is None else str(told)]
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
    for field in UNSET:
        fields[field] = fields.get(field) or None
    return msgspec.convert(fields, RoomSettings, strict=False)
