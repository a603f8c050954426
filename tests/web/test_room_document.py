"""The room's served document is whole: every call, every refusal, true examples. Whether answers
keep to it is watched in all tests of the room (tests.web.witness).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from accounts.accounts import AccountInactive, WrongCredentials
from accounts.attempts import TooManyGuesses
from accounts.passwords import PasswordsBusy
from kernel.clock import ManualClock
from kernel.db import DatabaseAway
from kernel.errors import Refusal
from tests.web.room_site import EVENT, LINKS, Site
from tests.web.witness import PROBLEM, Document
from waitingroom.abuse import TooMany
from waitingroom.console import ChangedMeanwhile, RoomStarted
from waitingroom.settings import BadSetting
from waitingroom.web.hot import HotRooms

# Said to operators, by the console; and the common name of three.
NOT_HERE: set[type[Refusal]] = {ChangedMeanwhile, RoomStarted, BadSetting, TooMany}
# What the injected `visitor` refuses with (accounts.identity.Identity.visitor).
OF_ACCOUNTS: list[type[Refusal]] = [
    WrongCredentials,
    AccountInactive,
    TooManyGuesses,
    PasswordsBusy,
    DatabaseAway,
]
ROOM = "/rooms/{event}"


@pytest.fixture
async def site(redis_rooms: Redis, clock: ManualClock, tmp_path: Path) -> Site:
    return Site(redis_rooms, clock, tmp_path)


@pytest.fixture
async def document(site: Site) -> Document:
    return await site.app.document()


def calls_of(document: Document) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document.told["paths"].items():
        for method, call in methods.items():
            yield method, path, call


def codes_of(call: dict[str, Any]) -> set[tuple[int, str]]:
    return {
        (int(status), code)
        for status, answer in call["responses"].items()
        if PROBLEM in answer.get("content", {})
        for code in answer["content"][PROBLEM]["schema"]["properties"]["code"]["enum"]
    }


def refusals_of(package: str) -> set[type[Refusal]]:
    pending: list[type[Refusal]] = [Refusal]
    found: set[type[Refusal]] = set()
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        if kind.__module__.startswith(package):
            found.add(kind)
    return found


async def test_every_refusal_of_the_room_is_told_somewhere(document: Document):
    told = {one for _, _, call in calls_of(document) for one in codes_of(call)}
    missing = {(kind.status, kind.code) for kind in refusals_of("waitingroom.") - NOT_HERE} - told
    assert not missing


async def test_what_is_refused_to_accounts_is_told_where_accounts_are_asked_for(document: Document):
    for path in (f"{ROOM}/entries", f"{ROOM}/takeovers"):
        told = codes_of(document.told["paths"][path]["post"])
        assert {(kind.status, kind.code) for kind in OF_ACCOUNTS} <= told, path


async def test_calls_with_an_entry_say_so_and_what_is_wrong_with_one(document: Document):
    wrong = {(404, "no-entry"), (403, "entry-forged"), (403, "entry-foreign")}
    wrong |= {(410, "generation-over"), (503, "room-away"), (404, "room-unknown")}
    bearing = [
        (method, path, call)
        for method, path, call in calls_of(document)
        if call.get("security") == [{"entry": []}, {"entryCookie": []}]
    ]
    assert {(method, path.rpartition("/")[2]) for method, path, _ in bearing} == {
        *{("get", "me"), ("delete", "me"), ("get", "live")},
        *{("post", "heartbeats"), ("post", "claims"), ("post", "handovers")},
    }
    for _, path, call in bearing:
        assert wrong <= codes_of(call), path


async def test_every_call_tells_its_answers_and_how_to_say_who_calls(document: Document):
    schemes = document.told["components"]["securitySchemes"]
    assert {"basicAuth", "entry", "entryCookie", "session", "invitation", "pass"} <= set(schemes)
    for method, path, call in calls_of(document):
        assert any(status.startswith("2") for status in call["responses"]), path
        assert call["summary"]
        assert call["tags"], path
        assert {name for one in call["security"] for name in one} <= set(schemes), path
        for status, answer in call["responses"].items():
            if "content" not in answer:
                assert status in ("204", "401"), (method, path, status)
            if status in ("429", "503"):
                assert answer["headers"]["Retry-After"]["schema"]["type"] == "integer"


async def test_every_example_is_what_its_schema_says(document: Document):
    count = 0
    for method, path, call in calls_of(document):
        where = f"{method} {path}"
        contents = [answer.get("content", {}) for answer in call["responses"].values()]
        contents.append(call.get("requestBody", {}).get("content", {}))
        for kind, content in ((kind, one[kind]) for one in contents for kind in one):
            examples = [one["value"] for one in content.get("examples", {}).values()]
            examples += [content["example"]] if "example" in content else []
            assert examples or kind == "text/event-stream", where
            for example in examples:
                document.check(content["schema"], example, where)
                count += 1
    assert count > 100


async def test_the_hot_calls_are_told_as_well(site: Site, document: Document):
    hot = HotRooms(site.rooms, LINKS)
    for method, rest in [*hot.calls, ("GET", "status"), ("POST", "entries")]:
        assert document.find(method, f"/rooms/{EVENT}/{rest}"), rest


async def test_the_watch_over_the_document_can_fail(site: Site, document: Document):
    body = b'{"status": 409, "code": "never-heard-of", "title": "", "detail": "", "error": ""}'
    headers = {"content-type": PROBLEM}
    with pytest.raises(AssertionError, match="never-heard-of"):
        document.judge("POST", f"/rooms/{EVENT}/claims", 409, headers, body)
    with pytest.raises(AssertionError, match="not told"):
        document.judge("POST", f"/rooms/{EVENT}/claims", 418, headers, body)
    await site.open()
    answer = await site.visitor().get(f"/rooms/{EVENT}/status")
    with pytest.raises(AssertionError, match="is a required property"):
        document.judge("GET", f"/rooms/{EVENT}/status", 200, dict(answer.headers), b'{"event": 1}')
