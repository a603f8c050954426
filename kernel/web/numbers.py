"""Whole numbers in a query, taken at their word: the framework would read 1e3, +1 or ١ as one."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request

from kernel.errors import BadInput

# Any int64 in digits; which are too large is said by the parameter itself.
WHOLE = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def digits_in(*names: str) -> Callable[[Request[Any, Any, Any]], Awaitable[None]]:
    """For a handler's `before_request`: these query parameters are digits, or BadInput."""

    async def check(request: Request[Any, Any, Any]) -> None:
        for name in names:
            for text in request.query_params.getall(name, []):
                if not WHOLE.fullmatch(text):
                    raise BadInput("Нужно целое число.", parameter=name)

    return check
