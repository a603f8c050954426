"""The short way answers what is plain; whatever is odd goes the framework's way, and is refused."""

from typing import Annotated, Any

import httpx
import pytest
from litestar import Litestar, get, patch
from litestar.params import FromPath, JSONBody, QueryParameter

from kernel.errors import NotFound
from kernel.web.problems import handlers
from kernel.web.shortway import ShortWay
from sales.web.api.shapes import BookingRef, Done
from sales.web.api.strict import strictly


@get("/things/{thing:int}", short=True)
async def show(
    thing: FromPath[int],
    page: Annotated[int, QueryParameter(name="page", ge=1, le=9)] = 1,
) -> dict[str, int]:
    if thing == 404:
        raise NotFound
    return {"thing": thing, "page": page}


@patch("/things", short=True, before_request=strictly(BookingRef))
async def change(data: JSONBody[BookingRef]) -> Done:
    del data
    return Done()


class Framework:
    """Counts what it is asked; answers as the framework does."""

    def __init__(self, app: Litestar) -> None:
        self.app, self.asked = app, 0
        self.exception_handlers, self.state = app.exception_handlers, app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await self.app(scope, receive, send)


@pytest.fixture
def framework():
    return Framework(Litestar([show, change], exception_handlers=handlers()))


@pytest.fixture
async def client(framework):
    short = ShortWay(framework, [show, change], {})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(short), base_url="http://localhost"
    ) as made:
        yield made


async def test_a_plain_call_never_meets_the_framework(client, framework):
    assert (await client.get("/things/7?page=3")).json() == {"thing": 7, "page": 3}
    assert (await client.get("/things/7")).json() == {"thing": 7, "page": 1}
    assert (await client.patch("/things", json={"booking_id": 1})).status_code == 200
    assert framework.asked == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [("/things/x", 404), ("/things/7?page=0", 400), ("/things/7?page=10", 400), ("/thing/7", 404)],
)
async def test_an_odd_one_is_refused_in_the_frameworks_words(client, framework, path, status):
    assert (await client.get(path)).status_code == status
    assert framework.asked == 1


@pytest.mark.parametrize("body", [b"", b"{", b'{"booking_id": "1"}', b"x" * 20_000])
async def test_an_odd_body_is_refused_whole(client, framework, body):
    assert (await client.patch("/things", content=body)).status_code == 400
    assert framework.asked == 1


async def test_a_refusal_is_the_same_document(client):
    answer = await client.get("/things/404")
    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"
    assert answer.headers["content-type"] == "application/problem+json"
