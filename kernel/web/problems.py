"""The one translator of refusals: a problem document for programs, a page for people."""

from http import HTTPStatus
from typing import Any, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from redis.exceptions import RedisError

from kernel.db import GONE, DatabaseAway
from kernel.errors import Refusal, TryAgain
from kernel.web.pages import Pages, wants_html

log = structlog.get_logger()
SERVER_ERROR = 500
PROBLEM = "application/problem+json"


class StoreAway(TryAgain):
    """Хранилище временно недоступно, попробуйте ещё раз."""

    code = "store-away"


class _Unexpected(Refusal):
    """У нас что-то сломалось. Мы уже знаем и чиним."""

    status, code = 500, "internal"


def handlers() -> dict[type[Exception] | int, Any]:
    """For Litestar's `exception_handlers`."""
    away: dict[type[Exception] | int, Any] = dict.fromkeys(GONE, _database_away)
    return {
        **away,
        Refusal: answer_refusal,
        HTTPException: _framework_refusal,
        RedisError: _redis_away,
        Exception: _unexpected,
    }


def answer_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
    # The edge's line about this request says why.
    request.scope["refusal"] = refusal.code  # type: ignore[typeddict-unknown-key]  # ours
    if is_told_of(request.scope.get("route_handler")):
        request.scope["is_news"] = True  # type: ignore[typeddict-unknown-key]  # ours
    pages = cast("Pages | None", request.app.state.get("pages"))
    if pages is not None and wants_html(request):
        return pages.refusal(request, refusal)
    detail = pages.text(request, refusal.detail) if pages else refusal.detail
    return Response(
        document_of(refusal, detail),
        status_code=refusal.status,
        media_type=PROBLEM,
        headers=headers_of(refusal),
    )


def is_told_of(handler: Any) -> bool:
    """Whether a refusal gets its line though nothing was to be written: those decorated with
    `tells_refusals=True`, which strangers play with.
    """
    return bool(getattr(handler, "opt", {}).get("tells_refusals"))


def document_of(refusal: Refusal, detail: str | None = None) -> bytes:
    """The problem document of a refusal; `detail` in the reader's language."""
    problem = {"type": "about:blank", "title": _phrase(refusal.status), "status": refusal.status}
    problem |= {"code": refusal.code, "detail": detail or refusal.detail, "error": refusal.code}
    return msgspec.json.encode(problem | refusal.extra)


def headers_of(refusal: Refusal) -> dict[str, str]:
    headers = dict(refusal.headers)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        headers.setdefault("WWW-Authenticate", 'Basic realm="biletter", charset="UTF-8"')
    return headers


def _framework_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What the framework refuses by itself: no such path, wrong method, body that isn't JSON."""
    status = error.status_code
    if status >= SERVER_ERROR:
        return _unexpected(request, error)
    known = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
    refusal = _Framework(_reason(error))
    refusal.status, refusal.code = status, known.get(status, "bad-input")  # type: ignore[misc]  # per answer
    refusal.headers.update(error.headers or {})
    return answer_refusal(request, refusal)


class _Framework(Refusal):
    """Запрос составлен неверно."""


def _reason(error: HTTPException) -> str | None:
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        parts = [f"{one.get('key', '')}: {one.get('message', '')}".strip(": ") for one in extra]
        return "; ".join(parts)
    return {404: "Такой страницы нет.", 405: "Так сюда обращаться нельзя."}.get(error.status_code)


def _database_away(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("database away", error=repr(error))
    return answer_refusal(request, DatabaseAway())


def _redis_away(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.warning("redis away", error=repr(error))
    return answer_refusal(request, StoreAway())


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("unexpected error", exc_info=error, path=request.url.path)
    return answer_refusal(request, _Unexpected())


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 419 is the contract's own
        return "Reservation Conflict"
