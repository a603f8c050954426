"""A storm, or a benchmark, that is ended from outside leaves no process and no folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadtest.stand import ROOT, descendants

SHOWS_UP_S, GOES_S = 60.0, 60.0
SUPERVISOR_AND_ENGINES = 3


def wait_for(what, within_s):
    until = time.monotonic() + within_s
    while not what() and time.monotonic() < until:
        time.sleep(0.05)
    assert what()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_storm_that_is_ended_from_outside_leaves_nothing(tmp_path, ending):
    storm = subprocess.Popen(
        [sys.executable, "-m", "loadtest.storm", "--short"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: len(descendants(storm.pid)) >= SUPERVISOR_AND_ENGINES, SHOWS_UP_S)
        processes = [Path(f"/proc/{pid}") for pid in descendants(storm.pid)]
        storm.send_signal(ending)
        assert storm.wait(GOES_S) != 0
        wait_for(lambda: not any(process.exists() for process in processes), GOES_S)
    finally:
        storm.kill()
    # Nobody is left to tidy up after kill -9.
    assert ending is signal.SIGKILL or not list(tmp_path.iterdir())
