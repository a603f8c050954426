"""biletter status"""

import argparse
import asyncio
import time
from pathlib import Path
from typing import Any

import httpx

from biletter.cli.surroundings import settings_beside_running
from biletter.datafolder import running_state
from biletter.settings import DUTIES_WITH_A_PORT, Settings
from biletter.supervisor.readiness import ANSWER_WITHIN_S, is_ready


def add(subparsers: Any) -> None:
    subparsers.add_parser(
        "status",
        help="show the running duties and whether they answer",
        description="One line a process; the exit status is 0 when all live and answer.",
    )


def run(_: argparse.Namespace) -> int:
    settings = settings_beside_running()
    state = running_state(settings.data)
    ready = asyncio.run(_ask(settings, list(state)))
    print(f"{'duty':<14}{'process':>8}{'up':>10}{'restarts':>10}  answers")
    all_well = bool(state)
    for duty, process in state.items():
        lives = process["pid"] is not None and Path(f"/proc/{process['pid']}").exists()
        up = f"{time.time() - process['started_at']:.0f} s" if lives else "-"
        word = {True: "ready", False: "not ready", None: ""}[ready.get(duty)] if lives else "dead"
        print(f"{duty:<14}{process['pid'] or '-':>8}{up:>10}{process['restarts']:>10}  {word}")
        all_well = all_well and lives and ready.get(duty) is not False
    return 0 if all_well else 1


async def _ask(settings: Settings, duties: list[str]) -> dict[str, bool]:
    async with httpx.AsyncClient(timeout=ANSWER_WITHIN_S, trust_env=False) as client:
        return {
            duty: await is_ready(client, f"http://127.0.0.1:{settings.port_of(duty)}")
            for duty in duties
            if duty in DUTIES_WITH_A_PORT
        }
