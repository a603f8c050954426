"""docs/integration.md: what it shows is run as it stands."""

import asyncio
import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import jwt
import pytest
from redis.asyncio import Redis

from biletter.settings import ROOT
from kernel.clock import ManualClock, SystemClock
from kernel.keyring import Keyring
from tests.web.gate_street import PAGE, hall, person
from tests.web.room_site import EVENT, Site
from waitingroom.gate import QueueGate
from waitingroom.passes import Visit, sign_pass

PAGE_TEXT = (ROOT / "docs" / "integration.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE_TEXT, re.DOTALL)


class FastAPI:
    """Wraps itself in its middleware as Starlette does; the library itself isn't installed here."""

    def __init__(self) -> None:
        self._stack = hall

    def add_middleware(self, middleware, **options) -> None:
        self._stack = middleware(self._stack, **options)

    async def __call__(self, scope, receive, send) -> None:
        await self._stack(scope, receive, send)


def run(mark: str, **names):
    """Run the one block that has this in it; what it defines."""
    blocks = [block for block in BLOCKS if mark in block]
    assert len(blocks) == 1
    names["__name__"] = __name__
    exec(compile(blocks[0], "docs/integration.md", "exec"), names)
    return names


@pytest.fixture
def fastapi(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("fastapi")
    module.FastAPI = FastAPI  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "fastapi", module)


@pytest.mark.parametrize("mark", ["FastAPI", "Litestar", 'when_away="closed"'])
async def test_each_way_to_put_the_gate_in_front_shows_the_queue(fastapi: None, mark: str):
    made = run(mark, app=hall)
    answer = await person(made["app"]).get("/concert", headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://queue.example/queue/1?return_to=https%3A")


async def test_the_shared_memory_of_passes_does_what_it_must(redis_rooms: Redis, tmp_path: Path):
    shared = run("SharedPasses", Redis=Redis)["SharedPasses"](redis_rooms)
    keyring, now = Keyring(tmp_path), int(SystemClock().ms() / 1000)
    token = sign_pass(keyring, EVENT, "aru", Visit(1, 7, "j", now, now + 180, now + 900))
    gate = QueueGate(
        hall,
        room="https://queue.example",
        protect={"/concert": EVENT},
        keys=keyring.jwks("pass"),
        used=shared,
    )
    first = await person(gate, authorization="Basic aru").get(
        "/concert", headers={"x-queue-pass": token}
    )
    assert first.text == "inside 7"
    second = await person(gate, authorization="Basic ermek").get(
        "/concert", headers={"x-queue-pass": token}
    )
    assert second.json()["code"] == "pass-used"
    assert 0 < await redis_rooms.ttl("pass:j") <= 900


async def test_a_program_waits_and_gets_its_pass_and_anybody_can_read_it(
    redis_rooms: Redis, clock: ManualClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    site = Site(redis_rooms, clock, tmp_path)
    await site.open(rate_per_minute=60)

    async def a_while(seconds: float) -> None:
        await site.move(seconds)

    made = run("get_pass")
    monkeypatch.setattr(asyncio, "sleep", a_while)
    token = await made["get_pass"](site.visitor(), EVENT)
    jwks = (await site.visitor().get("/.well-known/jwks.json")).json()
    read = run("def read_pass")["read_pass"]
    with pytest.raises((jwt.ImmatureSignatureError, jwt.ExpiredSignatureError)):
        read(token, jwks, EVENT)  # the clock of this room is not today's
    now = int(SystemClock().ms() / 1000)
    token = sign_pass(site.keyring, EVENT, "aru", Visit(1, 7, "j", now, now + 180, now + 900))
    assert read(token, jwks, EVENT)["num"] == 7
    with pytest.raises(jwt.InvalidAudienceError):
        read(token, jwks, 2)


async def test_the_description_that_is_served_has_every_call_of_the_contract(
    redis_rooms: Redis, clock: ManualClock, tmp_path: Path
):
    site = Site(redis_rooms, clock, tmp_path)
    paths = (await site.visitor().get("/openapi/openapi.json")).json()["paths"]
    calls = {(method, path) for path, one in paths.items() for method in one}
    room = "/rooms/{event}"
    assert calls >= {
        ("get", f"{room}/status"),
        ("post", f"{room}/entries"),
        ("get", f"{room}/entries/me"),
        ("delete", f"{room}/entries/me"),
        ("post", f"{room}/heartbeats"),
        ("post", f"{room}/claims"),
        ("get", f"{room}/live"),
        ("get", f"{room}/lottery"),
        ("get", "/authorize"),
        ("get", "/.well-known/jwks.json"),
    }
    for path in paths:
        for one in paths[path].values():
            assert one["summary"], path


def test_the_gates_package_has_all_that_the_gate_is_and_needs():
    told = tomllib.loads((ROOT / "deploy" / "gate" / "pyproject.toml").read_text("utf-8"))
    tool, gate = told["tool"]["setuptools"], ROOT / "waitingroom" / "gate"
    folder = tool["package-dir"]["waitingroom.gate"]
    assert (ROOT / "deploy" / "gate" / folder).resolve() == gate
    assert {path.suffix for path in gate.iterdir() if path.is_file()} == {".py", ".html"}
    assert tool["package-data"] == {"waitingroom.gate": ["*.html"]}
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(told["project"]["dependencies"]) <= set(whole["dependencies"])
    assert told["project"]["requires-python"] == whole["requires-python"]


def test_the_rooms_own_duties_are_some_of_all():
    alone = (ROOT / "deploy" / "room.Procfile").read_text("utf-8").splitlines()[1:]
    assert len(alone) == 3
    assert set(alone) <= set((ROOT / "Procfile").read_text("utf-8").splitlines())
