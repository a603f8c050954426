"""Addresses have one spelling: ids are plain digits, static files have plain names."""

import re
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kernel.errors import NotFound

STATIC: Final = "/static/"
STATIC_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
PLAIN: Final = re.compile(r"-?[0-9]+")


async def need_plain_address(
    connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
) -> None:
    """A guard of every route. `int` reads `1_0`, ` 1`, `+1` and the digits of other scripts too:
    such an address is nobody's. Raises NotFound.

    It awaits nothing, and is a coroutine all the same: the framework would run a plain function
    in a thread, which costs each request more than the routing does.
    """
    path: str = connection.scope["path"]
    is_plain = True
    if path.startswith(STATIC):
        is_plain = STATIC_NAME.fullmatch(path.removeprefix(STATIC)) is not None
    elif any(isinstance(value, int) for value in connection.path_params.values()):
        is_plain = not any(_is_odd_number(part) for part in path.split("/"))
    if not is_plain:
        raise NotFound("Такой страницы нет.")


def _is_odd_number(part: str) -> bool:
    if PLAIN.fullmatch(part):
        return False
    try:
        int(part)
    except ValueError:
        return False
    return True
