"""Stands before the room in every test of it and compares each answer, whichever way it was made
(the hot calls pass the framework by), with what the served document tells of that call.
"""

import json
import re
from typing import Any

import jsonschema_rs

PROBLEM = "application/problem+json"
TOLD = "/openapi/openapi.json"


class Document:
    """The served document, and what of it was seen to be true: (method, path, status, code)."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        self.seen: set[tuple[str, str, str, str]] = set()
        self._ways = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in told["paths"]
        ]
        self._judges: dict[str, Any] = {}

    def find(self, method: str, path: str) -> tuple[str, Any] | None:
        for way, template in self._ways:
            if way.fullmatch(path):
                call = self.told["paths"][template].get(method.lower())
                return (template, call) if call else None
        return None

    def judge(
        self, method: str, path: str, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        """Raises AssertionError for what the document doesn't tell."""
        found = self.find(method, path)
        if found is None:
            return
        template, call = found
        where = f"{method} {template} {status} {body[:300]!r}"
        assert str(status) in call["responses"], f"not told: {where}"
        answer = call["responses"][str(status)]
        kind = headers.get("content-type", "").partition(";")[0]
        if kind == "text/html":
            return
        code = ""
        if "content" not in answer:
            assert not body, f"has a body: {where}"
        else:
            assert kind in answer["content"], f"another kind, {kind!r}: {where}"
        if kind == PROBLEM:
            code = json.loads(body)["code"]
            told = self._fields(answer["content"][PROBLEM]["schema"])
            assert json.loads(body).keys() <= told, f"fields not told: {where}"
            assert "retry-after" not in headers or "Retry-After" in answer["headers"], where
        if kind.endswith("json"):
            self.check(answer["content"][kind]["schema"], json.loads(body), where)
        self.seen.add((method, template, str(status), code))

    def check(self, schema: dict[str, Any], value: Any, where: str) -> None:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._judges:
            whole = {**schema, "components": self.told["components"]}
            self._judges[key] = jsonschema_rs.validator_for(whole)
        wrong = [f"{e.message} at {e.instance_path}" for e in self._judges[key].iter_errors(value)]
        assert not wrong, f"{wrong}: {where}"

    def _fields(self, schema: dict[str, Any]) -> set[str]:
        return set(self.told["components"]["schemas"]["Problem"]["properties"]) | set(
            schema["properties"]
        )


# The same for every room of a test run: it is made of the code.
KNOWN: list[Document] = []


class Witness:
    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        said: dict[str, Any] = {}
        body = bytearray()

        async def listen(message: Any) -> None:
            if message["type"] == "http.response.start":
                said.update(message)
            elif b"event-stream" not in dict(said["headers"]).get(b"content-type", b""):
                body.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, listen)
        if said:
            headers = {
                name.decode().lower(): text.decode("latin-1") for name, text in said["headers"]
            }
            document = await self.document()
            document.judge(scope["method"], scope["path"], said["status"], headers, bytes(body))

    async def document(self) -> Document:
        if not KNOWN:
            parts: list[bytes] = []

            async def listen(message: Any) -> None:
                parts.append(message.get("body", b""))

            async def receive() -> Any:
                return {"type": "http.request", "body": b"", "more_body": False}

            scope = {"type": "http", "method": "GET", "path": TOLD, "raw_path": TOLD.encode()}
            scope |= {"headers": [], "query_string": b"", "scheme": "http", "root_path": ""}
            scope |= {
                "server": ("localhost", 80),
                "client": ("127.0.0.1", 1),
                "http_version": "1.1",
            }
            await self._app(scope, receive, listen)
            KNOWN.append(Document(json.loads(b"".join(parts))))
        return KNOWN[0]
