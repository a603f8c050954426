"""The merchant's own profile (HTTP Basic), and the calls that clear the books (X-Admin-Token)."""

from hmac import compare_digest
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from kernel.documents import UNREADABLE
from sandbox.switches import place_and_reason
from sandbox.toleubar.basic import read_basic
from sandbox.toleubar.config import ToleuBarConfig
from sandbox.toleubar.desk import Desk
from sandbox.toleubar.merchant import TIYN_PER_UNIT
from sandbox.toleubar.moments import midnight_ms
from sandbox.toleubar.refusals import FieldsRefused, GatewayRefusal
from sandbox.toleubar.web.answers import AnyRequest, answer

OK = 200


class WrongCredentials(GatewayRefusal):
    """Wrong team slug or password."""

    status, code = HTTPStatus.UNAUTHORIZED, "AUTHENTICATION_ERROR"


class AdminTokenMissing(GatewayRefusal):
    """The X-Admin-Token header is required."""

    status, code = HTTPStatus.UNAUTHORIZED, "TOKEN_MISSING"


class AdminTokenWrong(GatewayRefusal):
    """The admin token is wrong."""

    status, code = HTTPStatus.FORBIDDEN, "TOKEN_INVALID"


class TeamUnknown(GatewayRefusal):
    """Team not found."""

    status, code = HTTPStatus.NOT_FOUND, "TEAM_NOT_FOUND"


@get("/api/v1/teammanagement/profile")
async def show_profile(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    _need_merchant(request, desk)
    return answer(_describe(desk))


@put("/api/v1/teammanagement/profile", status_code=OK)
async def change_profile(request: AnyRequest, desk: NamedDependency[Desk]) -> Response[bytes]:
    _need_merchant(request, desk)
    written = read_object(await request.body())
    change_or_refuse(desk.merchant.change, written)
    return answer(_describe(desk))


@post("/api/v1/admin/clear-database", status_code=OK)
async def clear_database(
    request: AnyRequest, desk: NamedDependency[Desk], config: NamedDependency[ToleuBarConfig]
) -> Response[bytes]:
    _need_admin(request, config)
    return answer({"success": True, "deleted": desk.books.clear()})


@post("/api/v1/admin/clear-team-data/{team_slug:str}", status_code=OK)
async def clear_team(
    request: AnyRequest,
    team_slug: FromPath[str],
    desk: NamedDependency[Desk],
    config: NamedDependency[ToleuBarConfig],
) -> Response[bytes]:
    _need_admin(request, config)
    if team_slug != desk.who.team_slug:
        raise TeamUnknown
    return answer({"success": True, "deleted": desk.books.clear()})


def read_object(body: bytes) -> dict[str, Any]:
    """Raises FieldsRefused when the body is not a JSON object."""
    try:
        written = msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        raise FieldsRefused({"$": [str(error)]}) from error
    return written


def change_or_refuse(change: Any, written: dict[str, Any]) -> None:
    """Raises FieldsRefused, naming the field, where the change is refused."""
    try:
        change(written)
    except msgspec.ValidationError as error:
        place, why = place_and_reason(error)
        raise FieldsRefused({place: [why]}) from error


def _describe(desk: Desk) -> dict[str, object]:
    count, amount = desk.books.since(midnight_ms(desk.today()))
    usage = {"paymentsToday": count, "amountToday": amount / TIYN_PER_UNIT}
    profile: dict[str, object] = msgspec.to_builtins(desk.merchant.profile)
    return {"teamSlug": desk.who.team_slug, **profile, "usageStats": usage}


def _need_merchant(request: AnyRequest, desk: Desk) -> None:
    given = read_basic(request.headers.get("authorization", ""))
    slug, password = given or ("", "")
    same_slug = compare_digest(slug.encode(), desk.who.team_slug.encode())
    if not (compare_digest(password.encode(), desk.who.password.encode()) and same_slug):
        raise WrongCredentials(headers={"WWW-Authenticate": 'Basic realm="ToleuBar"'})


def _need_admin(request: AnyRequest, config: ToleuBarConfig) -> None:
    """Without a configured token nobody is an admin."""
    given = request.headers.get("x-admin-token", "")
    if not given:
        raise AdminTokenMissing
    expected = config.admin_token or ""
    if not expected or not compare_digest(given.encode(), expected.encode()):
        raise AdminTokenWrong
