"""What a page tells about whose the seats are, where they are a partner's."""

from datetime import datetime

import msgspec

from sales.partner_availability import Asked
from sales.web.pages.forms import moment_of


class OwnerTold(msgspec.Struct, frozen=True):
    """`is_silent`: nothing can be taken now, and what he sold since `at` is not on the map; `at`
    None: he was never heard.
    """

    is_ours: bool = True
    is_silent: bool = False
    at: datetime | None = None


def owner_told(asked: Asked | None) -> OwnerTold:
    if asked is None:
        return OwnerTold()
    if not asked.is_stale:
        return OwnerTold(is_ours=False)
    at = moment_of(asked.at_ms) if asked.at_ms else None
    return OwnerTold(is_ours=False, is_silent=True, at=at)
