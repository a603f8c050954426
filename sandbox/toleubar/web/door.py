"""The outermost layer: paths in any case, and the broken link."""

from typing import Any

from kernel.web.edge import App, Receive, Scope, Send
from sandbox.link import break_link

PREFIX = "/api/v1/"
# A handler that wants its answer lost on the way marks it with this header.
BREAK_HEADER = "x-break-link"


class Door:
    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = lower_route(scope["path"])
        broken = False

        async def send_or_break(message: dict[str, Any]) -> None:
            nonlocal broken
            if message["type"] == "http.response.start":
                broken = any(
                    name.lower() == BREAK_HEADER.encode() for name, _ in message["headers"]
                )
                if broken:
                    await break_link(send)
            if not broken:
                await send(message)

        lowered = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(lowered, receive, send_or_break)


def lower_route(path: str) -> str:
    """The controller and action in lower case; what follows them (an id, a slug) as it came."""
    if not path.lower().startswith(PREFIX):
        return path
    parts = path.split("/", 5)
    return "/".join(part.lower() for part in parts[:5]) + "".join(f"/{part}" for part in parts[5:])
