"""What the benchmark asks of the contract."""

from loadtest import apicalls


def test_twelve_addresses_each_asked_as_it_is_or_never_twice():
    paths = apicalls.addresses()
    assert len(set(paths)) == 12
    again = apicalls.repeated(paths)
    assert len({again() for _ in range(24)}) == 12
    anew = apicalls.never_twice(paths)
    asked = [anew() for _ in range(24)]
    assert len(set(asked)) == 24
    assert (asked[0] or b"").startswith(f"GET {paths[0]}&never=0 HTTP/1.1\r\n".encode())


def test_a_first_call_is_made_once_by_each():
    first = apicalls.first_calls([("aru@mail.kz", "a:b"), ("bek@mail.kz", "c")])
    assert len({first(), first()}) == 2
    assert first() is None
