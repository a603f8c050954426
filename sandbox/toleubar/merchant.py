"""The merchant's profile: what the merchant may change about itself while the gateway runs."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from sandbox.toleubar.books import Books
from sandbox.toleubar.config import ToleuBarConfig
from sandbox.toleubar.fields import is_web_address

Text = Annotated[str, Meta(max_length=2048)]
Amount = Annotated[int, Meta(ge=0)]
CURRENCIES = ("KZT", "USD", "EUR", "BYN", "RUB")
TIYN_PER_UNIT = 100
ADDRESSES = ("successUrl", "failUrl", "notificationUrl", "cancelUrl")
SETTING = "profile"


class Profile(Struct, frozen=True, kw_only=True, rename="camel"):
    """Amount limits are in whole currency units here, and only here (contract §6)."""

    team_name: Text
    contact_email: Text | None = None
    contact_phone: Text | None = None
    description: Text | None = None
    time_zone: Text = "Asia/Almaty"
    success_url: Text | None = None
    fail_url: Text | None = None
    notification_url: Text | None = None
    cancel_url: Text | None = None
    min_payment_amount: Amount | None = None
    max_payment_amount: Amount | None = None
    daily_payment_limit: Amount | None = None
    monthly_payment_limit: Amount | None = None
    daily_transaction_limit: Annotated[int, Meta(ge=0)] | None = None
    enable_webhooks: bool = True
    webhook_retry_attempts: Annotated[int, Meta(ge=0, le=10)] = 3
    webhook_timeout_seconds: Annotated[int, Meta(ge=1, le=300)] = 30
    supported_currencies: Annotated[list[Text], Meta(max_length=20)] = field(
        default_factory=lambda: list(CURRENCIES)
    )


class Merchant:
    """The profile in force; a change is kept over restarts."""

    def __init__(self, config: ToleuBarConfig, books: Books) -> None:
        self._books = books
        kept = books.setting(SETTING)
        self.profile = (
            msgspec.json.decode(kept, type=Profile)
            if kept
            else Profile(team_name=config.team_name, notification_url=config.notification_url)
        )

    def change(self, written: dict[str, Any]) -> Profile:
        """Change the fields that are named. Raises msgspec.ValidationError, naming the field."""
        lowered = {name.lower(): value for name, value in written.items()}
        current: dict[str, Any] = msgspec.to_builtins(self.profile)
        merged = {name: lowered.get(name.lower(), value) for name, value in current.items()}
        profile = msgspec.convert(merged, Profile)
        for address in ADDRESSES:
            url = merged[address]
            if url and not is_web_address(url):
                raise msgspec.ValidationError(f"Not an absolute web address - at `$.{address}`")
        self._books.keep_setting(SETTING, msgspec.json.encode(profile))
        self.profile = profile
        return profile
