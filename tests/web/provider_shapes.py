"""Answers of the partner's stand-in beside the published contract."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

CONTRACT = json.loads(
    (Path(__file__).parents[1] / "contract" / "seat-provider.openapi.json").read_text("utf-8")
)
TYPES: dict[str, type[Any]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}


def told(method: str, path: str) -> dict[str, Any]:
    """The contract's answers of a call; `path` as it was asked, ids included."""
    shape = re.sub(r"/[^/]*/(?=(submit|confirm|cancel|select|release)$)", "/{id}/", path)
    shape = re.sub(r"(/(?:orders|places))/(?!\{)[^/]+$", r"\1/{id}", shape)
    answers: dict[str, Any] = CONTRACT["paths"][shape][method.lower()]["responses"]
    return answers


def agree(method: str, path: str, answer: httpx.Response) -> None:
    """The status is one of the contract's, and the body is of its shape, or empty."""
    answers = told(method, path)
    assert str(answer.status_code) in answers, (method, path, answer.status_code)
    content = answers[str(answer.status_code)].get("content")
    if content is None:
        assert answer.content == b"", (method, path)
        assert "content-type" not in answer.headers
    else:
        assert answer.headers["content-type"] == "application/json"
        fit(answer.json(), content["application/json"]["schema"])


def fit(value: Any, schema: dict[str, Any]) -> None:
    if "$ref" in schema:
        schema = CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    kind: type[Any] = TYPES[schema["type"]]
    assert isinstance(value, kind), (value, schema)
    assert isinstance(value, bool) is (kind is bool), (value, schema)
    if "enum" in schema:
        assert value in schema["enum"]
    if schema.get("format") == "uuid":
        assert str(UUID(value)) == value
    if kind is list:
        for one in value:
            fit(one, schema["items"])
    if kind is dict:
        assert value.keys() == schema["properties"].keys()
        assert set(schema["required"]) == value.keys()
        for name, one in value.items():
            fit(one, schema["properties"][name])
