"""Small pages about the site itself."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from sales.web.pages.forms import Req
from sales.web.pages.site import Site

# Maps and orders are nobody's search results, and crawlers would only load the seats.
ROBOTS = """\
User-agent: *
Disallow: /orders
Disallow: /events/*/zones
Disallow: /api/
"""


@get("/about-queue", include_in_schema=False)
async def about_queue(request: Req, site: NamedDependency[Site]) -> Response[Any]:
    return site.pages.show(request, "sales/about_queue.html")


@get("/robots.txt", include_in_schema=False)
async def robots() -> Response[str]:
    return Response(ROBOTS, media_type="text/plain; charset=utf-8")


@get("/favicon.ico", include_in_schema=False)
async def favicon(site: NamedDependency[Site]) -> Response[Any]:
    return Redirect(site.pages.static_address("icon.svg"), status_code=301)
