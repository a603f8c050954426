"""The served document and the served answers, compared call by call by a program that tries
everything the document allows, and much that it doesn't.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from biletter.seed.accounts import crowd
from tests.house import House

pytestmark = pytest.mark.process
CONTRACT = Path(__file__).resolve().parent.parent / "contract"
EXAMPLES = 25
PATIENCE_S = 240


def test_whatever_is_asked_of_the_machine_face_the_answer_is_one_that_its_document_tells(
    server: House,
) -> None:
    somebody = next(crowd())
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["--config-file", str(CONTRACT / "schemathesis.toml"), "run"]
    command += [server.address("sales") + "/openapi/openapi.json"]
    command += ["--auth", f"{somebody.email}:{somebody.password}"]
    command += ["--include-path-regex", "^/api/", "-n", str(EXAMPLES), "--no-color"]
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
    assert "Tested: 1" in ran.stdout, ran.stdout[-3_000:]
