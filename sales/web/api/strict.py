"""Bodies taken at their word: the framework would read "1" or true as the number 1."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from kernel.documents import UNREADABLE
from kernel.errors import BadInput


def strictly(shape: type[Any]) -> Callable[[Request[Any, Any, Any]], Awaitable[None]]:
    """For a handler's `before_request`: the body is JSON of this shape, or BadInput."""
    decoder = msgspec.json.Decoder(shape)

    async def check(request: Request[Any, Any, Any]) -> None:
        try:
            decoder.decode(await request.body())
        except InternalServerException as error:  # the framework's word for a body that breaks off
            raise BadInput from error
        except UNREADABLE as error:
            raise BadInput(str(error)) from error

    return check
