"""How a call is told in the served OpenAPI document, where its signature doesn't say it: which
refusals it gives, with their codes; what it reads from the raw request; headers and examples.

    @post("/rooms/{event:str}/claims", summary="…", **told(claimed, refusals=(NotCalled, …)))
"""

import inspect
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import msgspec
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIResponse, Operation

from kernel.errors import Refusal
from kernel.web.problems import PROBLEM, document_of, headers_of

Who = Sequence[dict[str, list[str]]]
Refused = tuple["type[Refusal] | Said", ...]
NOTHING: Mapping[str, str] = MappingProxyType({})
HEADER_WORDS = {
    "Retry-After": "After so many seconds, at least, asking again may help.",
    "WWW-Authenticate": "HTTP Basic.",
}
KINDS = {str: "string", bool: "boolean", int: "integer", float: "number"}


class Problem(msgspec.Struct, frozen=True):
    """A problem document (RFC 9457); `code` and `error` are the same stable word. More fields may
    follow, depending on the code.
    """

    status: int
    code: str
    title: str
    detail: str
    error: str
    type: str = "about:blank"


class Said(msgspec.Struct, frozen=True):
    """A refusal of somebody whom this context doesn't know, such as whoever tells accounts."""

    status: int
    code: str
    detail: str
    waits: bool = False

    def made(self) -> Refusal:
        refusal = Refusal(self.detail, retry_after_s=1 if self.waits else None)
        refusal.status, refusal.code = self.status, self.code  # type: ignore[misc]  # of this one
        return refusal


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no refusal. `example` is one of its body, `kind` the body's type where it
    has no example; neither: it has no body. `headers`: name → what it says.
    """

    words: str = ""
    example: Any = None
    kind: Any = None
    media: str = "application/json"
    headers: Mapping[str, str] = NOTHING

    @property
    def shape(self) -> Any:
        return type(self.example) if self.example is not None else self.kind

    @property
    def description(self) -> str:
        doc = inspect.getdoc(self.shape) if self.example is not None else None
        return self.words or " ".join((doc or "Done.").split())


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """All that `told` was told."""

    answers: Mapping[int, Answer]
    refusals: Mapping[int, Sequence[Refusal]]
    body: Any = None
    body_example: Any = None
    body_needed: bool = False
    parameters: Sequence[Mapping[str, Any]] = ()
    who: Who | None = None

    def complete(self, operation: Operation) -> None:
        named = {one["name"]: one for one in self.parameters}
        given = [one for one in operation.parameters or () if getattr(one, "name", "") not in named]
        operation.parameters = [*given, *named.values()] or None  # type: ignore[list-item]  # as it is rendered
        if self.who is not None:  # the framework tells nothing of a call for everybody
            operation.security = list(self.who)
        found: dict[str, Any] = dict(operation.responses or {})
        operation.responses = {}
        for status, answer in self.answers.items():
            operation.responses[str(status)] = _answer(found[str(status)], answer)
        for status, refusals in sorted(self.refusals.items()):
            operation.responses[str(status)] = _refusals(found[str(status)], status, refusals)
        if self.body is not None:
            content = {"schema": schema_of(self.body)}
            if self.body_example is not None:
                content["example"] = msgspec.to_builtins(self.body_example)
            operation.request_body = {  # type: ignore[assignment]  # as it is rendered
                "content": {"application/json": content},
                "required": self.body_needed,
            }


def told(
    answers: Answer | Mapping[int, Answer],
    *,
    status: int = 200,
    refusals: Iterable[type[Refusal] | Said] = (),
    body: Any = None,
    body_example: Any = None,
    body_needed: bool = False,
    parameters: Sequence[Mapping[str, Any]] = (),
    who: Who | None = None,
    tags: Sequence[str] = (),
) -> dict[str, Any]:
    """For the decorator of a handler. `status` is that of an only answer; `body` the type of a
    body that the handler reads raw; `parameters` (as OpenAPI writes them) replace those of the
    signature that have their names; `who`: names of the app's security schemes, any of which.
    """
    if isinstance(answers, Answer):
        answers = {status: answers}
    by_status: dict[int, list[Refusal]] = {}
    for one in dict.fromkeys(refusals):
        made = one.made() if isinstance(one, Said) else one(**dict(one.told))
        by_status.setdefault(made.status, []).append(made)
    call = Call(
        answers=answers,
        refusals=by_status,
        body=body,
        body_example=body_example,
        body_needed=body_needed,
        parameters=parameters,
        who=who,
    )

    @dataclass
    class Told(Operation):
        def __post_init__(self) -> None:
            call.complete(self)

    specs = {
        code: ResponseSpec(answer.shape, generate_examples=False, media_type=answer.media)
        for code, answer in answers.items()
    }
    specs |= {
        code: ResponseSpec(Problem, generate_examples=False, media_type=PROBLEM)
        for code in by_status
    }
    return {"operation_class": Told, "responses": specs, "tags": list(tags) or None}


def schema_of(kind: Any) -> dict[str, Any]:
    """Whole, without references."""
    (schema,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    return parts[schema["$ref"]] if "$ref" in schema else schema


def _answer(response: OpenAPIResponse, answer: Answer) -> OpenAPIResponse:
    response.description = answer.description
    response.headers = _headers(answer.headers)
    if answer.shape is None:
        response.content = None
    if answer.example is not None:
        assert response.content is not None
        response.content[answer.media].example = msgspec.to_builtins(answer.example)
    return response


def _refusals(
    response: OpenAPIResponse, status: int, refusals: Sequence[Refusal]
) -> OpenAPIResponse:
    codes = list(dict.fromkeys(one.code for one in refusals))
    fields: dict[str, Any] = {"status": {"const": status}, "code": {"enum": codes}}
    for one in refusals:
        fields |= {name: {"type": KINDS[type(text)]} for name, text in one.extra.items()}
    assert response.content is not None
    media = response.content[PROBLEM]
    media.schema = {"allOf": [media.schema], "type": "object", "properties": fields}  # type: ignore[assignment]  # as it is rendered
    examples = {
        _name(one): {"summary": one.detail, "value": json.loads(document_of(one))}
        for one in refusals
    }
    media.examples = examples  # type: ignore[assignment]
    response.description = f"{HTTPStatus(status).phrase}: {', '.join(codes)}."
    names = {name: "" for one in refusals for name in headers_of(one)}
    response.headers = _headers({name: HEADER_WORDS[name] for name in names})
    return response


def _name(refusal: Refusal) -> str:
    reason = refusal.extra.get("reason")
    return f"{refusal.code}: {reason}" if reason else refusal.code


def _headers(words: Mapping[str, str]) -> Any:
    kinds = {"Retry-After": {"type": "integer", "minimum": 1}}
    return {
        name: {"description": text, "schema": kinds.get(name, {"type": "string"})}
        for name, text in words.items()
    } or None
