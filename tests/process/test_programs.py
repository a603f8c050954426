"""The programs of docs/programs.md, run as they stand there."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.house import House

pytestmark = pytest.mark.process
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "programs.md"
STAR = 1


@pytest.fixture
def programs(server: House) -> list[str]:
    text = DOCUMENT.read_text("utf-8")
    for port, duty in (("8080", "sales"), ("8081", "waitingroom")):
        text = text.replace(f"http://localhost:{port}", server.address(duty))
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def test_they_book_pay_and_wait_their_turn(
    programs: list[str], server: House, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[str, Any] = {}
    for program in programs:
        exec(program, told)
    paying = capsys.readouterr().out.strip()
    assert httpx.URL(paying).port == httpx.URL(server.address("toleubar")).port
    assert httpx.get(paying).status_code == httpx.codes.OK
    shop: httpx.Client = told["shop"]
    assert shop.post("/api/bookings", json={"event_id": STAR}).status_code == httpx.codes.CREATED
    del shop.headers["X-Queue-Pass"]
    # The reader's process ends here; ours would find them open in the middle of another test.
    for one in told.values():
        if isinstance(one, httpx.Client):
            one.close()
