"""deploy/nginx/queue.conf in a real nginx: a room behind it, and somebody else's site. Without
nginx these tests say so loudly; in CI they fail.
"""

import asyncio
import os
import shutil
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from redis.asyncio import Redis

from biletter.settings import ROOT
from kernel.clock import ManualClock
from tests.house import free_ports
from tests.web.room_site import EVENT, LINKS, Site

pytestmark = pytest.mark.process

MAIN = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/queue.conf;
}}
"""
PAGE = {"accept": "text/html"}


async def shop(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return
    body = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()}".encode()
    headers = [(b"content-length", b"%d" % len(body)), (b"x-shop", b"yes")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def served(app, port: int):
    server = Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        log_enabled=False,
    )
    task = asyncio.create_task(server.serve())
    await reached(port)
    try:
        yield server
    finally:
        server.stop()
        await task


async def reached(port: int) -> None:
    for _ in range(200):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nobody answers on {port}")


def configured(folder: Path, ports: dict[str, int]) -> Path:
    text = (ROOT / "deploy" / "nginx" / "queue.conf").read_text("utf-8")
    for before, after in (
        ("127.0.0.1:8081", f"127.0.0.1:{ports['room']}"),
        ("127.0.0.1:9000", f"127.0.0.1:{ports['shop']}"),
        ("127.0.0.1:8090", f"127.0.0.1:{ports['nginx']}"),
        ("/var/cache/nginx/queue", f"{folder}/cache"),
    ):
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (folder / "queue.conf").write_text(text, "utf-8")
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder, user="user root;" if os.geteuid() == 0 else ""))
    return main


@pytest.fixture(scope="module")
def program() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        message = "NO NGINX: its example configuration was not tested (apt-get install nginx-light)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


class Street:
    def __init__(self, site: Site, port: int, room) -> None:
        self.site, self.port, self.room = site, port, room
        self.people: list[httpx.AsyncClient] = []

    def person(self, **headers) -> httpx.AsyncClient:
        base = f"http://127.0.0.1:{self.port}"
        self.people.append(httpx.AsyncClient(base_url=base, headers=headers, trust_env=False))
        return self.people[-1]

    async def close(self) -> None:
        for person in self.people:
            await person.aclose()

    async def new_pass(self) -> str:
        person = self.site.visitor()
        assert (await person.post(f"/rooms/{EVENT}/entries")).is_success
        await self.site.move(1.0)
        return str((await person.post(f"/rooms/{EVENT}/claims")).json()["pass"])


@pytest.fixture
async def street(program: str, redis_rooms: Redis, clock: ManualClock, tmp_path: Path):
    first = free_ports()
    ports = {"room": first, "shop": first + 1, "nginx": first + 2}
    origin = f"http://127.0.0.1:{ports['nginx']}"
    site = Site(
        redis_rooms,
        clock,
        tmp_path,
        links=msgspec.structs.replace(LINKS, sites=frozenset({origin})),
    )
    await site.open(rate_per_minute=6000)
    process = await asyncio.create_subprocess_exec(
        program, "-p", str(tmp_path), "-c", str(configured(tmp_path, ports))
    )
    try:
        async with served(shop, ports["shop"]), served(site.app, ports["room"]) as room:
            await reached(ports["nginx"])
            street = Street(site, ports["nginx"], room)
            yield street
            await street.close()
    finally:
        process.terminate()
        await process.wait()


async def test_a_person_goes_from_the_site_through_the_queue_and_back_to_the_very_page(street):
    aru = street.person(**PAGE)
    assert (await aru.get("/")).text == "GET /?"
    sent = await aru.get("/concert/seats?zone=3&x=a%20b")
    assert sent.status_code == 303
    queue = urlsplit(sent.headers["location"])
    assert (queue.netloc, queue.path) == ("localhost:18201", f"/queue/{EVENT}")
    back = parse_qs(queue.query)["return_to"][0]
    assert back == f"http://127.0.0.1:{street.port}/concert/seats?zone=3&x=a%20b"
    # In the queue: a place, the call, the pass, and onward.
    waiting = street.site.visitor()
    page = await waiting.get(f"/queue/{EVENT}", params={"return_to": back})
    assert page.status_code == 200
    token = await street.new_pass()
    onward = await waiting.post(f"/queue/{EVENT}/onward", data={"pass": token, "return_to": back})
    assert onward.status_code == 303
    inside = await aru.get(onward.headers["location"])
    assert (inside.status_code, inside.headers["location"]) == (303, back)
    assert "HttpOnly; SameSite=Lax" in inside.headers["set-cookie"]
    shown = await aru.get(back)
    assert shown.text == "GET /concert/seats?zone=3&x=a%20b"
    assert (await aru.post("/concert/seats")).text == "POST /concert/seats?"


async def test_programs_get_429_and_then_pass_with_the_header(street):
    refused = await street.person().get("/concert/api")
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "5"
    assert f"/queue/{EVENT}" in refused.headers["link"]
    bek = street.person(**{"x-queue-pass": await street.new_pass()})
    answer = await bek.get("/concert/api")
    assert answer.text == "GET /concert/api?"
    bek.headers.pop("x-queue-pass")
    assert (await bek.get("/concert/api")).text == "GET /concert/api?"


async def test_a_pass_is_good_for_one_visitor_and_no_forged_one_is(street):
    token = await street.new_pass()
    assert (await street.person(**{"x-queue-pass": token}).get("/concert/")).is_success
    other = street.person(**{"x-queue-pass": token, "user-agent": "another"})
    assert (await other.get("/concert/")).status_code == 429
    forged = street.person(**{"x-queue-pass": token[:-6] + "AAAAAA"})
    assert (await forged.get("/concert/")).status_code == 429
    asked = await street.person().get("/_queue/1")
    assert asked.status_code == 404


async def test_the_room_counts_a_visit_until_its_lease_ends(street):
    aru = street.person(**{"x-queue-pass": await street.new_pass()})
    await aru.get("/concert/")
    street.site.clock.advance(299)
    await street.site.move(1)
    assert street.site.rooms.snapshot(EVENT).in_flight == 1
    street.site.clock.advance(619)
    await street.site.move(1)
    assert street.site.rooms.snapshot(EVENT).in_flight == 0


async def test_with_the_room_away_those_inside_go_on_and_the_others_hear_that_it_is_kept(street):
    aru = street.person(**PAGE | {"x-queue-pass": await street.new_pass()})
    await aru.get("/concert/")
    aru.headers.pop("x-queue-pass")
    assert (await aru.get("/concert/")).is_success
    street.room.stop()
    await asyncio.sleep(0.3)
    assert (await aru.get("/concert/pay")).text == "GET /concert/pay?"
    answer = await street.person(**PAGE).get("/concert/")
    assert answer.status_code == 503
    assert "ваше место сохраняется" in answer.text
    assert answer.headers["retry-after"] == "15"
