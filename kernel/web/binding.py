"""Handlers with their ready objects in hand.

The framework resolves what a handler asks for by name on every request, and starts a task for
each name where there are several: a third of a request's time, for objects that never change.
So they are put into the handler once, when the app is built.
"""

import inspect
from collections.abc import Mapping, Sequence
from copy import copy
from functools import partial, wraps
from typing import Any

from litestar.handlers import BaseRouteHandler


def with_objects(routes: Sequence[Any], objects: Mapping[str, Any]) -> list[Any]:
    """The routes, each asking only for what depends on the request. What is no single handler (a
    router) is left as it is, and its handlers ask by name.
    """
    return [_bound(one, objects) if isinstance(one, BaseRouteHandler) else one for one in routes]


def _bound(handler: BaseRouteHandler, objects: Mapping[str, Any]) -> BaseRouteHandler:
    call = handler.fn
    signature = inspect.signature(call)
    given = {name: objects[name] for name in signature.parameters if name in objects}
    if not given or not inspect.iscoroutinefunction(call):
        return handler
    ready = partial(call, **given)

    @wraps(call)
    async def answer(**asked: Any) -> Any:
        return await ready(**asked)

    left = [one for name, one in signature.parameters.items() if name not in given]
    by_name = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in left]
    hints = {name: hint for name, hint in call.__annotations__.items() if name not in given}
    answer.__signature__ = signature.replace(parameters=by_name)  # type: ignore[attr-defined]
    answer.__annotations__ = hints
    twin = copy(handler)
    twin(answer)
    return twin
