"""script/server with the real duties: each its own process, each back after a kill."""

import os
import signal

import httpx
import psutil
import pytest

from biletter.seed.accounts import PEOPLE
from tests.house import House, until

pytestmark = pytest.mark.process
DUTIES = ("sales", "waitingroom", "admin", "worker", "relay", "ticker", "toleubar", "provider")
PAGES = ("sales", "waitingroom", "admin", "toleubar", "provider")


def test_the_script_becomes_the_supervisor_so_one_signal_reaches_it(server: House) -> None:
    assert server.process is not None
    assert server.process.cmdline()[-3:] == ["-m", "biletter", "up"]


@pytest.mark.parametrize("duty", DUTIES)
def test_each_duty_is_a_process_with_a_telling_command_line(server: House, duty: str) -> None:
    line = psutil.Process(server.pid_of(duty)).cmdline()
    assert line[-4:] == ["-m", "biletter", "run", duty]


def test_the_greeting_names_addresses_and_accounts(server: House) -> None:
    for duty in PAGES:
        assert server.address(duty).replace("127.0.0.1", "localhost") + "/" in server.said()
    assert all(one.email in server.said() for one in PEOPLE)


@pytest.mark.parametrize("duty", DUTIES)
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_each_duty_tells_its_health(server: House, duty: str, path: str) -> None:
    assert httpx.get(server.address(duty) + path, timeout=30).status_code == 200


@pytest.mark.parametrize("duty", DUTIES)
def test_each_duty_is_back_after_a_kill(server: House, duty: str) -> None:
    before = server.pid_of(duty)
    os.kill(before, signal.SIGKILL)
    assert until(lambda: server.pid_of(duty) != before)
    assert until(lambda: server.answers(duty))


def test_status_finds_everything_well(server: House) -> None:
    assert until(lambda: server.run("status").returncode == 0), server.run("status").stdout
