"""The door of a room: whom it lets through uncounted, which rules only count, what they did, and
the part of the invited. The throttle console makes the changes: checked, audited, in force at once.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from accounts.accounts import Accounts
from accounts.addresses import BadEmail, read_email
from accounts.identity import Caller
from admin.throttle import ThrottleConsole, read_moment
from kernel.subjects import subject_of
from waitingroom.plan import in_force, state_at
from waitingroom.room import Rooms
from waitingroom.rules import RULES
from waitingroom.settings import TIME_MAX, BadSetting, RoomSettings
from waitingroom.snapshot import Snapshot
from waitingroom.store import RoomAway

WHOLE_NUMBERS = ("lane_share", "proof_bits", "theme")
LISTS = ("staff", "allowed_networks")
DOOR_FIELDS = (*WHOLE_NUMBERS, *LISTS)
DIGITS_MAX = 4
OUTCOMES = ("passed", "refused", "counted")


class RuleView(msgspec.Struct, frozen=True):
    """A rule with what the doors of all processes did by it in this room."""

    name: str
    per_minute: int
    burst: int
    is_mild: bool
    passed: int
    refused: int
    counted: int


class DoorView(msgspec.Struct, frozen=True):
    """`staff` are addresses where they are known, else subjects. `is_heard`: whether Redis told
    what the rules did. `lane`: waiting, living and let in of the invited; None: nobody was.
    """

    event: int
    title: str
    lane_share: int
    proof_bits: int
    theme: int | None
    staff: list[str]
    allowed_networks: list[str]
    rules: list[RuleView]
    is_heard: bool
    lane: dict[str, int] | None


class Then(msgspec.Struct, frozen=True):
    """What will be in force at a moment if nobody changes anything."""

    at: int
    is_past: bool
    state_now: str
    state: str
    now: RoomSettings
    settings: RoomSettings


class Doorkeeper:
    def __init__(self, console: ThrottleConsole, rooms: Rooms, accounts: Accounts) -> None:
        self._console, self._rooms, self._accounts = console, rooms, accounts

    async def door(self, event: int, *, named: bool = True) -> DoorView:
        """`named`: with the addresses of staff. Raises RoomUnknown, RoomAway."""
        snapshot = self._rooms.snapshot(event)
        settings, lane = snapshot.settings, snapshot.lane
        counts = await self._counts(event)
        names = await self._names() if named and settings.staff else {}
        return DoorView(
            event=event,
            title=settings.title,
            lane_share=settings.lane_share,
            proof_bits=settings.proof_bits,
            theme=settings.theme,
            staff=[names.get(subject, subject) for subject in settings.staff.split()],
            allowed_networks=settings.allowed_networks.split(),
            rules=_rules(settings, counts or {}),
            is_heard=counts is not None,
            lane=_of_lane(lane) if lane else None,
        )

    async def change(self, event: int, given: Mapping[str, Any], caller: Caller) -> None:
        """Raises BadSetting naming the field, and what ThrottleConsole.change raises."""
        if "rule" in given:
            changes = await self._turned(event, str(given["rule"]), str(given.get("mild", "")))
        else:
            changes = {name: await self._read(name, value) for name, value in given.items()}
        if not changes:
            raise BadSetting("Не сказано, что изменить.", setting="")
        await self._console.change(event, changes, caller)

    def then(self, event: int, text: str) -> Then:
        """At a moment of the venue's clock. Raises BadSetting for what is no moment to come."""
        snapshot = self._rooms.snapshot(event)
        settings, now_ms = snapshot.settings, snapshot.taken_at_ms
        at_ms = read_moment("at", text, settings.time_zone)
        if at_ms is None or not 0 < at_ms <= TIME_MAX:
            raise BadSetting("Выберите день и время.", setting="at")
        after = in_force(settings, at_ms, now_ms)
        return Then(
            at=at_ms,
            is_past=at_ms < now_ms,
            state_now=snapshot.state,
            state=state_at(after, max(at_ms, now_ms)),
            now=settings,
            settings=after,
        )

    def zone(self, event: int) -> ZoneInfo:
        """The venue's."""
        return ZoneInfo(self._rooms.snapshot(event).settings.time_zone)

    async def _turned(self, event: int, rule: str, mild: str) -> dict[str, Any]:
        """A rule made to refuse, or to count only (`1`)."""
        if rule not in RULES or mild not in ("0", "1"):
            raise BadSetting("Такого правила нет.", setting="count_only")
        settings = await self._rooms.settings(event)
        names = set(settings.count_only.split()) - {rule} | ({rule} if mild == "1" else set())
        return {"count_only": " ".join(name for name in RULES if name in names)}

    async def _read(self, name: str, value: Any) -> Any:
        if name not in DOOR_FIELDS:
            raise BadSetting(setting=name[:40])
        if name == "staff":
            return " ".join([await self._subject(word) for word in _words(value)])
        if name in LISTS:
            return " ".join(_words(value))
        text = str(value).strip() if isinstance(value, str | int) else "?"
        if name == "theme" and not text:
            return None
        if not (text.isascii() and text.isdecimal()) or len(text) > DIGITS_MAX:
            raise BadSetting(setting=name)
        return int(text)

    async def _subject(self, word: str) -> str:
        """Of an address; what is none is taken for a subject."""
        if "@" not in word:
            return word
        try:
            person = await self._accounts.find(read_email(word))
        except BadEmail:
            person = None
        if person is None:
            raise BadSetting("Такой учётной записи нет.", setting="staff", word=word[:100])
        return self._subject_of(person.id)

    def _subject_of(self, account_id: int) -> str:
        return subject_of(self._rooms.keyring.secret("subject"), "account", account_id)

    async def _names(self) -> dict[str, str]:
        """Addresses of those who work here, by subject."""
        staff = await self._accounts.staff()
        return {self._subject_of(person.id): person.email for person in staff}

    async def _counts(self, event: int) -> dict[str, int] | None:
        try:
            return await self._rooms.tally(event)
        except RoomAway:
            return None


def _rules(settings: RoomSettings, counts: Mapping[str, int]) -> list[RuleView]:
    mild = settings.terms.mild
    return [
        RuleView(
            name,
            rule.per_minute,
            rule.burst,
            name in mild,
            *(counts.get(f"{name} {outcome}", 0) for outcome in OUTCOMES),
        )
        for name, rule in RULES.items()
    ]


def _of_lane(lane: Snapshot) -> dict[str, int]:
    return {"waiting": lane.waiting, "living": lane.living, "claimed": lane.claimed}


def _words(value: Any) -> Iterable[str]:
    """Of lines of a form, or of a list in JSON, each once."""
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return dict.fromkeys(text.replace(",", " ").split())
