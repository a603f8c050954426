"""biletter env"""

import argparse
import shlex
from typing import Any

from biletter.cli.surroundings import settings_beside_running


def add(subparsers: Any) -> None:
    subparsers.add_parser(
        "env",
        help="print the running engines' addresses, for a shell to read",
        description='Prints export lines: eval "$(script/biletter env)".',
    )


def run(_: argparse.Namespace) -> int:
    settings = settings_beside_running()
    values = {
        "BILETTER_PORT": str(settings.port),
        "BILETTER_DATA": str(settings.data),
        "REDIS_ROOMS_URL": settings.redis_rooms_url,
        "REDIS_SHOP_URL": settings.redis_shop_url,
        "DATABASE_URL": settings.database_url,
    }
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value or '')}")
    return 0
