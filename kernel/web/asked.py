"""What a handler asks a request for, read without the framework: path, query, header, JSON body.

Only what is beyond doubt is read here. Anything else (a number in odd letters, a name twice, a body
that does not fit) is Doubtful, and the framework reads the request anew and refuses in its words.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, Literal, get_args, get_origin

import msgspec
from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import BodyKwarg, HeaderParameter, PathParameter, QueryParameter

from kernel.documents import UNREADABLE
from kernel.web.headers import header_of

QUERY: Final = re.compile(rb"[A-Za-z0-9_]+=[A-Za-z0-9_]+(?:&[A-Za-z0-9_]+=[A-Za-z0-9_]+)*")
WHOLE: Final = re.compile(r"[0-9]{1,18}")
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Doubtful(Exception):  # not an error: somebody else's turn
    """The framework shall read this request."""


class Given(msgspec.Struct):
    """A request, taken apart as far as handlers may ask."""

    request: Request[Any, Any, Any]
    # What the path ends with, where it names one thing.
    named: str
    query: Mapping[str, str]
    body: bytes


Reader = Callable[[Given], Any]
Provider = Callable[[Request[Any, Any, Any]], Awaitable[Any]]


class Asked:
    """`by_request`: what a request is asked for by name, such as `caller`."""

    def __init__(self, handler: HTTPRouteHandler, by_request: Mapping[str, Provider]) -> None:
        self._read: dict[str, Reader] = {}
        self._ask: dict[str, Provider] = {}
        self._known: set[str] = set()
        for name, parameter in inspect.signature(handler.fn).parameters.items():
            if name in by_request:
                self._ask[name] = by_request[name]
            elif name == "request":
                self._read[name] = lambda given: given.request
            else:
                self._read[name] = self._reader(parameter)

    def read(self, given: Given) -> dict[str, Any]:
        """All but what has to be waited for. Raises Doubtful."""
        if not self._known.issuperset(given.query):
            raise Doubtful
        return {name: read(given) for name, read in self._read.items()}

    async def ask(self, values: dict[str, Any], request: Request[Any, Any, Any]) -> None:
        for name, provider in self._ask.items():
            values[name] = await provider(request)

    def _reader(self, parameter: inspect.Parameter) -> Reader:
        kind, told = get_args(parameter.annotation)[:2]
        match told:
            case BodyKwarg():
                return partial(_read_body, msgspec.json.Decoder(kind))
            case PathParameter():
                assert kind in (int, str), f"{parameter}: neither a number nor a name"
                return lambda given: _whole(given.named) if kind is int else _name(given.named)
            case HeaderParameter(name=str(name)):
                key = name.lower().encode("ascii")
                return lambda given: header_of(given.request.scope, key)
            case QueryParameter(name=str(name)):
                self._known.add(name)
                return _from_query(kind, told, parameter.default)
        raise TypeError(f"{parameter}: not for the short way")


def _read_body(decoder: "msgspec.json.Decoder[Any]", given: Given) -> Any:
    try:
        return decoder.decode(given.body)
    except UNREADABLE as error:
        raise Doubtful from error


def _from_query(kind: Any, told: QueryParameter, default: Any) -> Reader:
    """Of whole numbers within bounds, and of words from a list."""
    words = {word for one in (kind, *get_args(kind)) for word in _words(one)}
    assert words or int in (kind, *get_args(kind)), f"{told.name}: neither a number nor a word"
    least = told.ge if told.ge is not None else 0
    most = told.le if told.le is not None else 10**18

    def read(given: Given) -> Any:
        text = given.query.get(str(told.name))
        if text is None and default is not inspect.Parameter.empty:
            return default
        if words and text in words:
            return text
        number = -1 if words else _whole(text or "")
        if words or not least <= number <= most:
            raise Doubtful
        return number

    return read


def _words(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _whole(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise Doubtful
    return int(text)


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise Doubtful
    return text


def read_query(raw: bytes) -> dict[str, str]:
    """Each name once, nothing encoded; raises Doubtful."""
    if not raw:
        return {}
    if not QUERY.fullmatch(raw):
        raise Doubtful
    pairs = [pair.partition("=") for pair in raw.decode("ascii").split("&")]
    query = {name: text for name, _, text in pairs}
    if len(query) != len(pairs):
        raise Doubtful
    return query
