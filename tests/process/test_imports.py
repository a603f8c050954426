"""Files imported while the whole service runs: what was read is there at once."""

import csv
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.house import ROOT, House

pytestmark = pytest.mark.process
PATIENCE_S = 60
EVENT = 90_001
TITLE = "Ночь ледяных фонарей"
USER, PASSWORD = 8_900_001, "a:b\\c\"d,e'f"
EMAIL = "ару_8900001@mail.kz"


def import_file(server: House, kind: str, path: Path) -> str:
    """As somebody at the machine types it."""
    environment = os.environ | {
        "BILETTER_DATA": str(server.data),
        "BILETTER_PORT": str(server.port),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "biletter", "import", kind, str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return ran.stdout


def test_an_imported_event_is_found_at_once_although_searches_are_kept(
    server: House, tmp_path: Path
) -> None:
    def found() -> list[int]:
        answer = httpx.get(f"{server.address('sales')}/api/events", params={"query": TITLE})
        return [one["id"] for one in answer.json()]

    assert found() == found() == []
    told = {"id": EVENT, "title": TITLE, "type": "stage", "datetime_start": "2031-01-07T19:00:00"}
    path = tmp_path / "events.json"
    path.write_text(json.dumps([told, {"id": 1}]), "utf-8")
    assert "1 new, 0 updated, 1 rejected" in import_file(server, "events", path)
    # An answer from before is good for no more than the message of the change takes.
    assert found() == [EVENT] or found() == [EVENT]
    seats = httpx.get(f"{server.address('sales')}/api/seats", params={"event_id": EVENT}).json()
    assert seats[0]["status"] == "FREE"


def test_an_imported_user_calls_at_once(server: House, tmp_path: Path) -> None:
    path = tmp_path / "users.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
        csv.writer(file).writerows(
            [("user_id", "email", "password_hash"), (USER, EMAIL.upper(), digest)]
        )
    assert "1 new" in import_file(server, "users", path)
    answer = httpx.get(f"{server.address('sales')}/api/bookings", auth=(EMAIL, PASSWORD))
    assert (answer.status_code, answer.json()) == (200, [])
