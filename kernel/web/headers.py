"""One header of a request, without the framework's table of all of them."""

from typing import Any


def header_of(scope: Any, name: bytes) -> str | None:
    """The first of this name (in lower case, as servers give them); None where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None
