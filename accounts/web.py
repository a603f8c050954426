"""The pages of an account: sign up, sign in, sign out, name and password.

Plain forms: an error stands beside its field, what was typed is kept (never a password), and
nothing needs JavaScript. Programs that don't ask for HTML get problem documents.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from accounts.accounts import Accounts
from accounts.attempts import Asker
from accounts.identity import Caller, Identity
from accounts.sessions import Sessions
from kernel.errors import BadInput, Refusal
from kernel.web.links import safe_return
from kernel.web.pages import Pages, wants_html

AnyRequest = Request[Any, Any, Any]
AFTER_SIGN_IN = "/"
# Which field a refusal is about; the others concern the form.
FIELD_OF = {
    "bad-email": "email",
    "email-taken": "email",
    "weak-password": "password",
    "passwords-differ": "repeated",
    "wrong-current-password": "current",
}
FIELD_MAX = 2_048


class PasswordsDiffer(BadInput):
    """Пароли не совпадают."""

    code = "passwords-differ"


def routes() -> list[Any]:
    """Needs `accounts`, `sessions`, `identity`, `caller`, `pages`."""
    return [
        sign_up_form,
        sign_up,
        sign_in_form,
        sign_in,
        sign_out,
        account_page,
        rename,
        change_password,
    ]


@get("/sign-up", include_in_schema=False)
async def sign_up_form(
    request: AnyRequest, pages: NamedDependency[Pages], caller: NamedDependency[Caller]
) -> Response[Any]:
    back = where_next(request, request.query_params.get("next"))
    if caller.account_id is not None:
        return see_other(back)
    return pages.show(request, "account/sign_up.html", values={}, errors={}, next=back)


@post("/sign-up", include_in_schema=False)
async def sign_up(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions],
    identity: NamedDependency[Identity],
) -> Response[Any]:
    form = await read_form(request)
    back = where_next(request, form.get("next"))
    try:
        person = await accounts.sign_up(
            form.get("email", ""),
            form.get("password", ""),
            first_name=form.get("first_name", ""),
            surname=form.get("surname", ""),
        )
    except Refusal as refusal:
        return again(request, pages, "account/sign_up.html", refusal, form, next=back)
    await begin(request, identity, sessions, await sessions.start(person))
    return see_other(back)


@get("/sign-in", include_in_schema=False)
async def sign_in_form(
    request: AnyRequest, pages: NamedDependency[Pages], caller: NamedDependency[Caller]
) -> Response[Any]:
    back = where_next(request, request.query_params.get("next"))
    if caller.account_id is not None:
        return see_other(back)
    return pages.show(request, "account/sign_in.html", values={}, errors={}, next=back)


@post("/sign-in", include_in_schema=False)
async def sign_in(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions],
    identity: NamedDependency[Identity],
) -> Response[Any]:
    form = await read_form(request)
    back = where_next(request, form.get("next"))
    try:
        email = form.get("email", "")
        asker = identity.asker(request, email)
        person = await accounts.sign_in(email, form.get("password", ""), asker=asker)
    except Refusal as refusal:
        return again(request, pages, "account/sign_in.html", refusal, form, next=back)
    await begin(request, identity, sessions, await sessions.start(person))
    return see_other(back)


@post("/sign-out", include_in_schema=False)
async def sign_out(
    request: AnyRequest,
    sessions: NamedDependency[Sessions],
    identity: NamedDependency[Identity],
) -> Response[Any]:
    signed = identity.signed_in(request)
    if signed is not None:
        await sessions.end(signed)
    identity.remember(request, "")
    return see_other("/")


@get("/account", include_in_schema=False)
async def account_page(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    accounts: NamedDependency[Accounts],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    person = await accounts.person(caller.need_account())
    done = request.query_params.get("done")
    return pages.show(
        request, "account/account.html", person=person, values={}, errors={}, done=done
    )


@post("/account", include_in_schema=False)
async def rename(
    request: AnyRequest,
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions],
    identity: NamedDependency[Identity],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    form = await read_form(request)
    account_id = caller.need_account()
    await accounts.rename(account_id, form.get("first_name", ""), form.get("surname", ""))
    if caller.session is not None:
        identity.remember(request, await sessions.retell(caller.session) or "")
    return see_other("/account?done=name")


@post("/account/password", include_in_schema=False)
async def change_password(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    accounts: NamedDependency[Accounts],
    sessions: NamedDependency[Sessions],
    identity: NamedDependency[Identity],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    form = await read_form(request)
    account_id = caller.need_account()
    person = await accounts.person(account_id)
    try:
        if form.get("password", "") != form.get("repeated", ""):
            raise PasswordsDiffer
        await accounts.change_password(
            account_id,
            form.get("current", ""),
            form.get("password", ""),
            asker=Asker(device=caller.device),
        )
    except Refusal as refusal:
        context: dict[str, Any] = {"person": person, "done": None, "here": "/account"}
        return again(request, pages, "account/account.html", refusal, form, **context)
    token = await sessions.start(await accounts.person(account_id))
    fresh = sessions.read(token)
    assert fresh is not None
    await sessions.end_others(fresh)
    identity.remember(request, token)
    return see_other("/account?done=password")


async def begin(request: AnyRequest, identity: Identity, sessions: Sessions, token: str) -> None:
    """The browser gets the new session; the one it came with, whoever's it was, is over."""
    earlier = identity.signed_in(request)
    if earlier is not None:
        await sessions.end(earlier)
    identity.remember(request, token)
    fresh = sessions.read(token)
    if fresh is not None:
        identity.met(request, fresh.email)


async def read_form(request: AnyRequest) -> dict[str, str]:
    """The text fields of a form, bounded; files and repeated fields are left out."""
    form = await request.form()
    return {
        name: value[:FIELD_MAX]
        for name, value in form.items()
        if isinstance(value, str) and "\x00" not in value
    }


def where_next(request: AnyRequest, asked: str | None) -> str:
    links = request.app.state["links"]
    return safe_return(asked, AFTER_SIGN_IN, links, request.headers.get("host", ""))


def see_other(place: str) -> Response[Any]:
    return Response(b"", status_code=303, headers={"Location": place, "Cache-Control": "no-store"})


def again(
    request: AnyRequest,
    pages: Pages,
    template: str,
    refusal: Refusal,
    form: dict[str, str],
    **context: Any,
) -> Response[Any]:
    """The form once more, with what was typed and what is wrong."""
    if not wants_html(request):
        raise refusal
    values = {
        name: text for name, text in form.items() if name in ("email", "first_name", "surname")
    }
    errors = {FIELD_OF.get(refusal.code, "form"): pages.text(request, refusal.detail)}
    response = pages.show(
        request, template, status=refusal.status, values=values, errors=errors, **context
    )
    response.headers.update(refusal.headers)
    return response
