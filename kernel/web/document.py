"""The OpenAPI document as it is served."""

from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from kernel.values import INT64_MAX

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")


class WholeBounds(JsonRenderPlugin):
    """Bounds of whole numbers as whole numbers. The framework keeps them as floats, and the
    largest id rounded up is no id any more.
    """

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, _whole(openapi_schema))


def _whole(told: Any) -> Any:
    if isinstance(told, list):
        return [_whole(one) for one in told]
    if not isinstance(told, dict):
        return told
    made = {name: _whole(one) for name, one in told.items()}
    if made.get("type") == "integer":
        made |= {name: _bound(made[name]) for name in BOUNDS if name in made}
    return made


def _bound(number: float) -> int:
    return max(-INT64_MAX - 1, min(int(number), INT64_MAX))
