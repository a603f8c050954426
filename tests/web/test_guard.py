"""Who has no pass is shown the queue: people by a redirect, programs by 429 and a link."""

from litestar import get
from litestar.testing import TestClient

from kernel.web.app import build_app
from kernel.web.links import Links
from sales.admission import AdmissionOver, PassNeeded
from sales.guard import QueueNeeded, show_queue

LINKS = Links(ports={"sales": 8080, "waitingroom": 8081})
QUEUE = "http://127.0.0.1:8081/queue/7"


@get("/buy")
async def buy() -> None:
    raise PassNeeded(7)


@get("/api/buy")
async def buy_by_program() -> None:
    raise AdmissionOver(7)


def client():
    app = build_app(
        "sales", [buy, buy_by_program], links=LINKS, exceptions={QueueNeeded: show_queue}
    )
    return TestClient(app, base_url="http://127.0.0.1:8080")


def test_a_browser_is_sent_to_the_queue_and_will_come_back():
    with client() as http:
        answer = http.get("/buy", headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303
    back = "http%3A%2F%2F127.0.0.1%3A8080%2Fevents%2F7"
    assert answer.headers["location"] == f"{QUEUE}?return_to={back}"


def test_a_program_is_told_where_the_queue_is_and_when_to_ask_again():
    with client() as http:
        answer = http.get("/api/buy", headers={"Accept": "*/*"})
    assert answer.status_code == 429
    assert answer.headers["link"] == f'<{QUEUE}>; rel="queue"'
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == "admission-over"
    assert answer.json()["event_id"] == 7
