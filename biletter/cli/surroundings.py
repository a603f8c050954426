"""The settings of a command that works beside a running Biletter.

What the environment doesn't say is taken from the supervisor working on the same data folder.
"""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

from biletter.datafolder import running_environment
from biletter.settings import Settings, read_settings
from biletter.trouble import Trouble
from kernel.errors import Refusal

ENGINES = ("REDIS_ROOMS_URL", "REDIS_SHOP_URL", "DATABASE_URL")


def settings_beside_running() -> Settings:
    """Raises Trouble when an engine is neither named nor running."""
    settings = read_settings()
    known = {name: value for name, value in os.environ.items() if value.strip()}
    if any(name not in known for name in ENGINES):
        known = {**running_environment(settings.data), **known}
    missing = [name for name in ENGINES if name not in known]
    if missing:
        raise Trouble(
            f"Biletter is not running on {settings.data}: start it with script/server,"
            f" or give {', '.join(missing)}."
        )
    return read_settings(known)


def told(about: str, work: Coroutine[Any, Any, int]) -> int:
    """Does the work, whose answer is the exit status. Raises Trouble for a refusal: what it was
    about, why, and the code.
    """
    try:
        return asyncio.run(work)
    except Refusal as refusal:
        raise Trouble(f"{about}: {refusal.detail} ({refusal.code})") from refusal
