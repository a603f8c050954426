"""Differences that wait for staff, and notices that were set aside."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from accounts.identity import Caller
from accounts.web import AnyRequest, read_form, see_other
from admin.audit import actor_of
from admin.staff import need_staff
from admin.web.words import NOTICE_KINDS
from kernel.errors import BadInput
from kernel.values import INT64_MAX
from kernel.web.numbers import digits_in
from kernel.web.pages import Pages, wants_html
from sales.outbox_parked import NOTE_CHARS_MAX, NoteNeeded, ParkedNotices
from sales.outbox_parked import PAGE as NOTICES_PAGE
from sales.reconcile.items import PAGE as ITEMS_PAGE
from sales.reconcile.items import ReviewItems
from sales.reconcile.kinds import KINDS

STATES = ("open", "closed")


@get("/review", include_in_schema=False, before_request=digits_in("below"))
async def review_page(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    review: NamedDependency[ReviewItems],
    caller: NamedDependency[Caller],
    of: FromQuery[str] = "open",
    kind: FromQuery[str] = "",
    below: FromQuery[int] = INT64_MAX,
) -> Response[Any]:
    """`of`: open or closed items; `kind`: these alone; `below`: the page after this id."""
    need_staff(caller)
    state = of if of in STATES else "open"
    chosen = kind if kind in KINDS else None
    items = await review.page(below=min(max(below, 1), INT64_MAX), state=state, kind=chosen)
    return pages.show(
        request,
        "admin/review.html",
        items=items,
        of=state,
        kind=chosen,
        kinds=KINDS,
        runs=await review.runs(),
        more=items[-1].id if len(items) == ITEMS_PAGE else None,
    )


@get("/review/{item_id:int}", include_in_schema=False)
async def item_page(
    request: AnyRequest,
    *,
    item_id: FromPath[int],
    pages: NamedDependency[Pages],
    review: NamedDependency[ReviewItems],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    return await show_item(request, pages, review, item_id)


@post("/review/{item_id:int}/close", include_in_schema=False)
async def close_item(
    request: AnyRequest,
    *,
    item_id: FromPath[int],
    pages: NamedDependency[Pages],
    review: NamedDependency[ReviewItems],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """The form's `note` says what was done about it."""
    need_staff(caller)
    return await close_or_tell(
        request,
        lambda note: review.close(item_id, note, actor_of(caller), by=caller.email),
        partial(show_item, request, pages, review, item_id),
        f"/review/{item_id}",
    )


@get("/notices", include_in_schema=False, before_request=digits_in("below"))
async def notices_page(
    request: AnyRequest,
    *,
    pages: NamedDependency[Pages],
    parked: NamedDependency[ParkedNotices],
    caller: NamedDependency[Caller],
    below: FromQuery[int] = INT64_MAX,
) -> Response[Any]:
    """Notices set aside, newest first."""
    need_staff(caller)
    notices = await parked.page(below=min(max(below, 1), INT64_MAX))
    return pages.show(
        request,
        "admin/notices.html",
        notices=notices,
        kinds=NOTICE_KINDS,
        done=request.query_params.get("done"),
        more=notices[-1].id if len(notices) == NOTICES_PAGE else None,
    )


@get("/notices/{notice_id:int}", include_in_schema=False)
async def notice_page(
    request: AnyRequest,
    *,
    notice_id: FromPath[int],
    pages: NamedDependency[Pages],
    parked: NamedDependency[ParkedNotices],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    need_staff(caller)
    return await show_notice(request, pages, parked, notice_id)


@post("/notices/{notice_id:int}/{deed:str}", include_in_schema=False)
async def end_notice(
    request: AnyRequest,
    *,
    notice_id: FromPath[int],
    deed: FromPath[str],
    pages: NamedDependency[Pages],
    parked: NamedDependency[ParkedNotices],
    caller: NamedDependency[Caller],
) -> Response[Any]:
    """`deed`: retry, or close with the form's `note`."""
    need_staff(caller)
    done = f"/notices?done={deed}"
    if deed == "retry":
        await parked.retry(notice_id, actor_of(caller), by=caller.email)
        return see_other(done)
    if deed != "close":
        raise BadInput
    return await close_or_tell(
        request,
        lambda note: parked.close(notice_id, note, actor_of(caller), by=caller.email),
        partial(show_notice, request, pages, parked, notice_id),
        done,
    )


async def show_item(
    request: AnyRequest, pages: Pages, review: ReviewItems, item_id: int, **note: Any
) -> Response[Any]:
    item = await review.get(item_id)
    words = KINDS.get(item.kind)
    return _show(request, pages, "admin/review_item.html", {"item": item, "words": words}, **note)


async def show_notice(
    request: AnyRequest, pages: Pages, parked: ParkedNotices, notice_id: int, **note: Any
) -> Response[Any]:
    notice = await parked.get(notice_id)
    word = NOTICE_KINDS.get(notice.kind, notice.kind)
    return _show(request, pages, "admin/notice.html", {"notice": notice, "word": word}, **note)


def _show(
    request: AnyRequest,
    pages: Pages,
    template: str,
    about: dict[str, Any],
    *,
    wrong: NoteNeeded | None = None,
    note: str = "",
) -> Response[Any]:
    """With the form of a note, as it was typed where it was `wrong`."""
    return pages.show(
        request,
        template,
        status=422 if wrong else 200,
        refusal=wrong,
        note=note,
        wrong=pages.text(request, wrong.detail) if wrong else None,
        note_max=NOTE_CHARS_MAX,
        **about,
    )


async def close_or_tell(
    request: AnyRequest,
    close: Callable[[str], Awaitable[None]],
    show: Callable[..., Awaitable[Response[Any]]],
    done: str,
) -> Response[Any]:
    """What was shown is closed with the form's `note`, and the browser goes to `done`; or it is
    shown again with what is wrong about the note.
    """
    note = (await read_form(request)).get("note", "")
    try:
        await close(note)
    except NoteNeeded as refusal:
        if not wants_html(request):
            raise
        return await show(wrong=refusal, note=note)
    return see_other(done)
