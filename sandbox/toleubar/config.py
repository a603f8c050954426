"""What the composition root tells the stand-in."""

from pathlib import Path

from msgspec import Struct


class ToleuBarConfig(Struct, frozen=True, kw_only=True):
    # The merchant: it signs with the password, so it is kept in clear text (contract §2).
    team_slug: str
    password: str
    team_name: str = "Biletter"
    # The SQLite file that outlives the process.
    books: Path
    # Signs webhooks; None leaves them unsigned, as the real gateway does.
    webhook_secret: str | None = None
    # Where webhooks go when init names no address and the profile was not changed.
    notification_url: str | None = None
    # The address of this process as browsers see it; None: by the host that init was sent to.
    public_base_url: str | None = None
    # Opens the calls that clear the books; None leaves them closed.
    admin_token: str | None = None
