"""Server-rendered pages: one Jinja environment a process, three languages, no logic of ours."""

import hashlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import jinja2
from babel.dates import format_date, format_datetime, format_time, get_timezone_location
from litestar import Request, Response
from litestar.datastructures import Cookie

from kernel.errors import Refusal
from kernel.i18n import LANGUAGES, Catalogues
from kernel.values import tenge_human
from kernel.web.cookies import cookie_in
from kernel.web.links import Links

LANGUAGE_COOKIE = "biletter_lang"
YEAR_S = 365 * 24 * 3600
# Every hall is in Kazakhstan, which has had one zone since March 2024.
VENUE_ZONE = ZoneInfo("Asia/Almaty")
SIGN_IN_STATUS = 401

_language: ContextVar[str] = ContextVar("language", default="ru")


def wants_html(request: Request[Any, Any, Any]) -> bool:
    """A person with a browser, not a program: by Accept, and never under /api/."""
    if request.url.path.startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "")


class Pages:
    def __init__(
        self,
        templates: Path,
        static: Path,
        locale: Path,
        links: Links,
        # What every page of this process may want to know, such as who is signed in.
        ambient: Callable[[Request[Any, Any, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self._catalogues = Catalogues(locale)
        self._static = static
        self._links = links
        self._ambient = ambient
        self._hashes: dict[str, str] = {}
        self._env = jinja2.Environment(
            loader=jinja2.FileSystemLoader(templates),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        install = self._env.install_gettext_callables  # type: ignore[attr-defined]  # of the extension
        install(self._gettext, self._ngettext, newstyle=True)
        self._env.globals["static"] = self.static_address
        self._env.globals["languages"] = LANGUAGES
        self._env.filters |= {
            "tenge": tenge_human,
            "day": lambda moment: _local(moment, format_date, "d MMMM, EEEE"),
            "time": lambda moment: _local(moment, format_time, "HH:mm"),
            "moment": _moment,
            # As an audit keeps it: ISO 8601.
            "told_moment": lambda text: _moment(datetime.fromisoformat(text)),
            # As a room keeps it: epoch milliseconds.
            "told_ms": lambda ms: _moment(datetime.fromtimestamp(ms / 1000, UTC)),
            "city": _city,
            "number": lambda n: f"{n:,}".replace(",", "\u00a0"),
        }

    def show(
        self,
        request: Request[Any, Any, Any],
        template: str,
        *,
        status: int = 200,
        refusal: Refusal | None = None,
        **context: Any,
    ) -> Response[bytes]:
        """Render `template` as an answer of this status, in the visitor's language. `refusal`: what
        the page tells of; the edge's line about this request names it.
        """
        if refusal is not None:
            request.scope["refusal"] = refusal.code  # type: ignore[typeddict-unknown-key]  # ours
        html = self.render(request, template, refusal=refusal, **context)
        response = Response(html.encode(), status_code=status, media_type="text/html")
        asked = request.query_params.get("lang")
        if asked in LANGUAGES:
            cookie = Cookie(LANGUAGE_COOKIE, value=asked, max_age=YEAR_S, samesite="lax", path="/")
            response.set_cookie(cookie)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def render(self, request: Request[Any, Any, Any], template: str, **context: Any) -> str:
        language = self.language(request)
        token = _language.set(language)
        try:
            ambient = self._ambient(request) if self._ambient else {}
            has_shop = self._links.has_shop
            frame = {
                "language": language,
                "request": request,
                # Whether there is a shop to lead to, and where the name on top leads; it may
                # lead nowhere.
                "has_shop": has_shop,
                "home": self._links.to("sales", request) if has_shop else self._links.home,
                "to": lambda duty, path="/": self._links.to(duty, request, path),
            }
            return self._env.get_template(template).render(frame | ambient | context)
        finally:
            _language.reset(token)

    def refusal(self, request: Request[Any, Any, Any], refusal: Refusal) -> Response[Any]:
        """A page that says what happened, its code, and what to do next. Who must sign in is
        sent to do so and comes back.
        """
        if refusal.status == SIGN_IN_STATUS:
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            place = "/sign-in" + (f"?next={quote(back)}" if request.method == "GET" else "")
            return Response(b"", status_code=303, headers={"Location": place})
        if refusal.status == 303:  # noqa: PLR2004  # a refusal that knows where to go instead
            return Response(b"", status_code=303, headers=refusal.headers)
        response = self.show(request, "error.html", status=refusal.status, refusal=refusal)
        response.headers.update(refusal.headers)
        return response

    def text(self, request: Request[Any, Any, Any], message: str) -> str:
        return self._catalogues.of(self.language(request)).gettext(message)

    def language(self, request: Request[Any, Any, Any]) -> str:
        asked, kept = request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)
        wished = request.headers.get("accept-language", "")
        return self._catalogues.choose(asked, kept, wished)

    def told(self, headers: Mapping[bytes, bytes], message: str) -> str:
        """The text in the reader's language, for who has no request but its headers."""
        kept = cookie_in(headers.get(b"cookie", b""), LANGUAGE_COOKIE)
        wished = headers.get(b"accept-language", b"").decode("latin-1")
        return self._catalogues.of(self._catalogues.choose(None, kept, wished)).gettext(message)

    def static_address(self, name: str) -> str:
        """`/static/app.css?v=…`: the content's hash lets browsers keep it for a year."""
        if name not in self._hashes:
            content = (self._static / name).read_bytes()
            self._hashes[name] = hashlib.sha256(content).hexdigest()[:12]
        return f"/static/{name}?v={self._hashes[name]}"

    def _gettext(self, message: str) -> str:
        return self._catalogues.of(_language.get()).gettext(message)

    def _ngettext(self, one: str, many: str, n: int) -> str:
        return self._catalogues.of(_language.get()).ngettext(one, many, n)


def _moment(moment: datetime, zone: ZoneInfo = VENUE_ZONE) -> str:
    return _local(moment, format_datetime, "d MMMM, HH:mm", zone)


def _city(zone: ZoneInfo) -> str:
    """Whose time that is: Asia/Almaty -> "Алматы"."""
    return get_timezone_location(zone, locale=_language.get(), return_city=True)


def _local(
    moment: datetime, form: Callable[..., str], pattern: str, zone: ZoneInfo = VENUE_ZONE
) -> str:
    return form(moment.astimezone(zone), pattern, locale=_language.get())
