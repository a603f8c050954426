"""Refusals: every clear "no" of the service, with an HTTP status and a stable code.

A refusal is raised beside the verb that refuses and translated once, at the edge
(kernel.web.problems). Its docstring is its default message, so an undocumented refusal cannot
exist. A broken invariant is an assert, never a Refusal.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar


class Refusal(Exception):
    """The request was refused."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    # With what it is usually made, as an example: fields of its document, and `retry_after_s`.
    # The served description of a call (kernel.web.told) names these fields.
    told: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after_s: int | None = None,
        headers: dict[str, str] | None = None,
        **extra: object,
    ) -> None:
        """`extra` joins the problem document as fields of its own (RFC 9457 §3.2)."""
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.extra = extra
        self.headers = dict(headers or {})
        if retry_after_s is not None:
            self.headers["Retry-After"] = str(max(1, retry_after_s))
        super().__init__(self.detail)


class BadInput(Refusal):
    """Запрос составлен неверно."""

    status, code = 400, "bad-input"


class SignInNeeded(Refusal):
    """Нужно войти."""

    status, code = 401, "sign-in-needed"


class Forbidden(Refusal):
    """Нет доступа."""

    status, code = 403, "forbidden"


class NotFound(Refusal):
    """Не найдено."""

    status, code = 404, "not-found"


class Conflict(Refusal):
    """Состояние уже изменилось."""

    status, code = 409, "conflict"


class TryAgain(Refusal):
    """Сервис временно недоступен, попробуйте ещё раз."""

    status, code = 503, "try-again"
    told = MappingProxyType({"retry_after_s": 3})

    def __init__(self, detail: str | None = None, *, retry_after_s: int = 3) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
