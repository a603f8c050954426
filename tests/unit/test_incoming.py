"""Large files, read row by row and gone on with."""

import io
import json

import pytest

from kernel import incoming
from kernel.incoming import BrokenJson, Lines, Objects, Place

EVENTS = [{"id": number, "title": "Ё" * number + ' "[{,}]" '} for number in range(1, 40)]
FORMS = {
    "array": json.dumps(EVENTS, ensure_ascii=False),
    "pretty": "\ufeff" + json.dumps(EVENTS, ensure_ascii=False, indent=2) + "\n",
    "lines": "\n".join(json.dumps(one) for one in EVENTS) + "\n",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
def test_objects_come_out_whole_wherever_the_file_is_cut(form, chunk, monkeypatch):
    monkeypatch.setattr(incoming, "CHUNK_BYTES", chunk)
    assert list(Objects(io.BytesIO(FORMS[form].encode()))) == EVENTS


@pytest.mark.parametrize("form", FORMS)
def test_reading_goes_on_after_any_object(form, monkeypatch):
    monkeypatch.setattr(incoming, "CHUNK_BYTES", 50)
    source = io.BytesIO(FORMS[form].encode())
    objects = Objects(source)
    for number, _ in enumerate(objects, start=1):
        rest = list(Objects(io.BytesIO(source.getvalue()), objects.place))
        assert rest == EVENTS[number:]


@pytest.mark.parametrize("text", ['[{"id": 1}, {"id": ', '[{"id": 1}, }]', '[{"id": 1} x'])
def test_a_broken_array_gives_what_stands_before_and_says_where(text):
    objects = iter(Objects(io.BytesIO(text.encode())))
    assert next(objects) == {"id": 1}
    with pytest.raises(BrokenJson, match="byte 1"):
        next(objects)


def test_an_object_without_an_end_does_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(incoming, "OBJECT_CHARS_MAX", 1_000)
    monkeypatch.setattr(incoming, "CHUNK_BYTES", 100)
    source = io.BytesIO(b'{"id": "' + b"x" * 1_000_000)
    with pytest.raises(BrokenJson):
        list(Objects(source))
    assert source.tell() < 3_000


def test_lines_know_where_they_end_and_go_on_from_there():
    text = "\ufeffодин\r\nдва\n\nтри"
    lines = Lines(io.BytesIO(text.encode()))
    iterator = iter(lines)
    assert [next(iterator), next(iterator)] == ["один\r\n", "два\n"]
    place = Place(lines.offset, lines.line)
    assert list(iterator) == ["\n", "три"]
    again = Lines(io.BytesIO(text.encode()))
    again.go_to(place)
    assert (list(again), again.line, again.offset) == (["\n", "три"], 4, len(text.encode()))
