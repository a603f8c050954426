"""Reading a request body as the gateway does: keys in any case, numbers as they were written.

Every field is looked at before anything is refused, so that one answer names all of them.
"""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn
from urllib.parse import urlsplit

from sandbox.toleubar.refusals import FieldsRefused

DEPTH_REFUSED = "The JSON value could not be read."
# More digits than this are no amount of money; it also bounds the text that is hashed.
AMOUNT_DIGITS_MAX = 28
URL_MAX = 2048


class Fields:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}
        self._errors: dict[str, list[str]] = {}

    def refuse(self, name: str, why: str) -> None:
        self._errors.setdefault(name, []).append(why)

    def close(self) -> None:
        """Raises FieldsRefused when any field so far was wrong."""
        if self._errors:
            raise FieldsRefused(self._errors)

    def required(self, name: str, length_max: int, pattern: str | None = None) -> str:
        """The text, or "" when it is refused: the caller goes on reading and then closes."""
        text = self.text(name, length_max, pattern)
        if text is None and name not in self._errors:
            self.refuse(name, f"The {name} field is required.")
        return text or ""

    def text(self, name: str, length_max: int, pattern: str | None = None) -> str | None:
        """None when absent or empty."""
        value = self._values.get(name.lower())
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            self.refuse(name, "The JSON value could not be converted to String.")
        elif len(value) > length_max:
            self.refuse(name, f"The field {name} must be at most {length_max} characters.")
        elif pattern is not None and not re.fullmatch(pattern, value):
            self.refuse(name, f"The field {name} has a wrong format.")
        else:
            return value
        return None

    def address(self, name: str) -> str | None:
        """An absolute http or https address."""
        url = self.text(name, URL_MAX)
        if url is None:
            return None
        if not is_web_address(url):
            self.refuse(name, f"The field {name} is not an absolute http or https address.")
            return None
        return url

    def number(self, name: str, low: int | None = None, high: int | None = None) -> Decimal | None:
        value = self._values.get(name.lower())
        if value is None:
            return None
        if not isinstance(value, Decimal):
            self.refuse(name, "The JSON value could not be converted to Decimal.")
        elif abs(value.adjusted()) > AMOUNT_DIGITS_MAX or len(str(value)) > AMOUNT_DIGITS_MAX:
            self.refuse(name, f"The field {name} has too many digits.")
        elif (low is not None and value < low) or (high is not None and value > high):
            self.refuse(name, f"The field {name} must be between {low} and {high}.")
        else:
            return value
        return None

    def whole(self, name: str, low: int, high: int, otherwise: int) -> int:
        value = self.number(name, low, high)
        if value is not None and value != value.to_integral_value():
            self.refuse(name, "The JSON value could not be converted to Int32.")
            return otherwise
        return otherwise if value is None else int(value)

    def member(self, name: str, key: str) -> str | None:
        """A text inside an object, such as data.idempotencyKey."""
        value = self._values.get(name.lower())
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(name, "The JSON value could not be converted to Dictionary.")
            return None
        lowered = {str(inner).lower(): content for inner, content in value.items()}
        return Fields(lowered).text(key, 255)

    def rows(self, name: str) -> list["Fields"]:
        """A list of objects; empty when absent."""
        value = self._values.get(name.lower())
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.refuse(name, "The JSON value could not be converted to List.")
            return []
        return [Fields(one) for one in value]


def read_fields(body: bytes) -> Fields:
    """Raises FieldsRefused when the body is not a JSON object."""
    try:
        values = json.loads(body, parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FieldsRefused({"$": [DEPTH_REFUSED]}) from error
    if not isinstance(values, dict):
        raise FieldsRefused({"": ["A JSON object is required."]})
    return Fields(values)


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    readable = url.isascii() and not any(ord(char) <= ord(" ") for char in url)
    return readable and parts.scheme in {"http", "https"} and bool(parts.hostname)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
