"""The room in front of the star concert, opened once and set as this start wants it."""

from biletter.seed.star import STAR_ID, THEME, TITLE
from biletter.settings import Settings
from waitingroom.room import Rooms
from waitingroom.settings import RoomSettings

ACTOR = "settings"


async def ensure_star_room(rooms: Rooms, settings: Settings) -> RoomSettings:
    """The room of event 1 exists, and what the environment says about it is in force; what it
    doesn't say stays as operators left it. Raises BadSetting, RoomAway.
    """
    mode = settings.room_mode or "on"
    await rooms.open(STAR_ID, RoomSettings(title=TITLE, theme=THEME, mode=mode))
    wanted = {
        "mode": settings.room_mode,
        "rate_per_minute": settings.room_rate_per_minute,
        "ceiling": settings.room_ceiling,
    }
    now = await rooms.settings(STAR_ID)
    if now.theme is None:
        wanted["theme"] = THEME
    changes = {
        field: value
        for field, value in wanted.items()
        if value is not None and value != getattr(now, field)
    }
    return await rooms.configure(STAR_ID, changes, ACTOR) if changes else now
