"""The card form, rendered once in each language and filled in for each payment: rendering it anew
costs as much as all the rest of a purchase here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import escape

# Characters that no text of ours or of a merchant's has any use for.
_MARK = re.compile("\ue000(\\w+)\ue001")


class Blanks:
    def __init__(self) -> None:
        self._blanks: dict[str, list[str]] = {}

    def fill(
        self, kind: str, values: Mapping[str, Any], render: Callable[[dict[str, str]], str]
    ) -> bytes:
        """The page with these values. `render` makes the blank of this kind, once, from a mark
        in place of each value.
        """
        blank = self._blanks.get(kind)
        if blank is None:
            marks = {name: f"\ue000{name}\ue001" for name in values}
            blank = self._blanks[kind] = _MARK.split(render(marks))
        filled = blank.copy()
        filled[1::2] = [str(escape(values[name])) for name in blank[1::2]]
        return "".join(filled).encode()
