"""The gateway as a process of its own, for the test that kills it: `… BOOKS PORT`."""

import asyncio
import sys
from pathlib import Path

from kernel.web.links import Links
from kernel.web.serve import serve
from sandbox.toleubar.app import build
from sandbox.toleubar.config import ToleuBarConfig
from tests.web.toleubar_stand import PASSWORD, TEAM

if __name__ == "__main__":
    port = int(sys.argv[2])
    app = build(
        ToleuBarConfig(team_slug=TEAM, password=PASSWORD, books=Path(sys.argv[1])),
        links=Links(ports={"toleubar": port}),
    )
    asyncio.run(serve(app, bind="127.0.0.1", port=port, duty="toleubar"))
