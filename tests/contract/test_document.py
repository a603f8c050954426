"""The document that we serve, beside the published contract: nothing of it may be missing."""

import json
from pathlib import Path

import pytest

from tests.web.api_stand import api_stand

CONTRACT = json.loads((Path(__file__).parent / "sales-api.openapi.json").read_text("utf-8"))
CALLS = [
    (method, path)
    for path, calls in CONTRACT["paths"].items()
    for method in calls
    if method in ("get", "post", "patch")
]
# Answers that the contract tolerates and we never give: reading needs nobody, a reset says 200.
NEVER = {
    ("get", "/api/seats", "401"),
    ("get", "/api/analytics", "401"),
    ("post", "/api/reset", "204"),
}
# Answers of any call of ours beside the contract's: see docs/adr and the contract's own chapter 8.
MORE = {"403", "404", "409", "419", "422", "429", "503"}


@pytest.fixture
async def document(db, redis_shop, clock, tmp_path):
    async with api_stand(db, redis_shop, clock, tmp_path) as stand, stand.api() as client:
        return (await client.get("/openapi/openapi.json")).json()


def resolved(document, schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


async def test_every_call_of_the_contract_is_told_with_its_answers(document):
    for method, path in CALLS:
        ours = document["paths"][path][method]["responses"].keys()
        theirs = CONTRACT["paths"][path][method]["responses"].keys()
        missing = {code for code in theirs - ours if (method, path, code) not in NEVER}
        assert not missing, (method, path)
        assert ours - theirs <= MORE, (method, path)


async def test_parameters_agree_in_name_place_need_and_bounds(document):
    for method, path in CALLS:
        ours = {
            (one["name"], one["in"]): one
            for one in document["paths"][path][method].get("parameters", [])
        }
        for theirs in CONTRACT["paths"][path][method].get("parameters", []):
            told = ours[theirs["name"], theirs["in"]]
            assert told.get("required", False) == theirs.get("required", False), (path, theirs)
            asked, given = resolved(CONTRACT, theirs["schema"]), resolved(document, told["schema"])
            for bound in ("minimum", "maximum"):
                if bound in asked:
                    assert given[bound] == asked[bound], (path, theirs)
            if "enum" in asked:
                assert set(asked["enum"]) <= set(json.dumps(given).replace('"', " ").split())


async def test_a_users_writes_may_be_named_by_a_key_and_nothing_else_is(document):
    named = set()
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            told = {(one["name"], one["in"]): one for one in call.get("parameters", [])}
            header = told.get(("Idempotency-Key", "header"))
            if header is not None:
                assert not header.get("required", False)
                assert {"409", "422"} <= set(call["responses"]), path
                named.add((method, path))
    writes = {(method, path) for method, path in CALLS if method != "get"}
    users = {one for one in writes if document["paths"][one[1]][one[0]].get("security")}
    assert len(users) == 5
    assert named == users | {("patch", "/api/seats/best")}


async def test_bodies_and_answers_have_the_contracts_fields(document):
    for method, path in CALLS:
        theirs, ours = CONTRACT["paths"][path][method], document["paths"][path][method]
        pairs = [(theirs.get("requestBody"), ours.get("requestBody"))]
        pairs += [
            (theirs["responses"].get(code), ours["responses"].get(code)) for code in ("200", "201")
        ]
        for asked, given in pairs:
            if asked and "content" in asked:
                _agree(
                    resolved(CONTRACT, asked["content"]["application/json"]["schema"]),
                    resolved(document, given["content"]["application/json"]["schema"]),
                    document,
                    where=(method, path),
                )


def _agree(asked, given, document, where):
    """Every field that the contract names is there, of the same type; needed ones are needed."""
    if "oneOf" in asked:
        choices = given.get("oneOf") or given["anyOf"]
        assert len(choices) >= len(asked["oneOf"]), where
        return
    if asked.get("type") == "array":
        assert given["type"] == "array", where
        asked, given = resolved(CONTRACT, asked["items"]), resolved(document, given["items"])
    assert set(asked.get("required", [])) <= set(given.get("required", [])), where
    for name, field in asked.get("properties", {}).items():
        mine = resolved(document, given["properties"][name])
        theirs = resolved(CONTRACT, field)
        types = {one.get("type") for one in mine.get("oneOf", mine.get("anyOf", [mine]))}
        assert theirs.get("type") in types, (where, name)
