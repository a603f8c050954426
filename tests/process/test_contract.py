"""The served document and the served answers, compared call by call by a program that tries
everything the document allows, and much that it doesn't.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from biletter.seed.accounts import crowd
from tests.house import House

pytestmark = pytest.mark.process
CONTRACT = Path(__file__).resolve().parent.parent / "contract"
EXAMPLES = 25
PATIENCE_S = 240


def compare(address: str, rules: str, paths: str, *more: str, examples: int = EXAMPLES) -> None:
    """Everything below `paths` (an expression), under the rules of a file."""
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["--config-file", str(CONTRACT / rules), "run"]
    command += [address + "/openapi/openapi.json", *more]
    command += ["--include-path-regex", paths, "-n", str(examples), "--no-color"]
    command += ["--suppress-health-check", "all"]
    hooks = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.contract.hooks"}
    ran = subprocess.run(
        command,
        env=hooks,
        cwd=CONTRACT.parent.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-8_000:] + ran.stderr[-2_000:]
    assert "Tested: " in ran.stdout, ran.stdout[-3_000:]


def test_whatever_is_asked_of_the_machine_face_the_answer_is_one_that_its_document_tells(
    server: House,
) -> None:
    somebody = next(crowd())
    who = f"{somebody.email}:{somebody.password}"
    compare(server.address("sales"), "schemathesis.toml", "^/api/", "--auth", who)


@pytest.mark.parametrize(
    "paths",
    [
        # Of visitors with an account; of whoever bears an entry.
        "entries$|status$|lottery$|takeovers$|authorize$|jwks",
        "me$|heartbeats$|claims$|handovers$",
    ],
)
def test_whatever_is_asked_of_the_room_the_answer_is_one_that_its_document_tells(
    server: House, paths: str
) -> None:
    address = server.address("waitingroom")
    somebody = next(crowd())
    credentials: Sequence[str] = ("--auth", f"{somebody.email}:{somebody.password}")
    if "claims" in paths:
        joined = httpx.post(f"{address}/rooms/1/entries", auth=(somebody.email, somebody.password))
        credentials = ("-H", f"Authorization: Entry {joined.json()['entry']}")
    compare(address, "schemathesis-room.toml", paths, *credentials, examples=12)
