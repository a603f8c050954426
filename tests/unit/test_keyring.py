import jwt
import pytest

from kernel.keyring import Keyring, TokenRefusedError

CLAIMS = {"aud": "1", "sub": "aru", "nbf": 100, "exp": 200, "jti": "x"}


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keys")


def sign(keyring, **changes):
    return keyring.sign("pass", CLAIMS | changes, typ="pass+jwt")


def verify(keyring, token, now_s=150, audience="1", purpose="pass", typ="pass+jwt"):
    return keyring.verify(purpose, token, typ=typ, audience=audience, now_s=now_s)


def test_a_signed_token_verifies_and_signing_again_gives_the_same(keyring):
    assert verify(keyring, sign(keyring))["sub"] == "aru"
    assert sign(keyring) == sign(keyring)


def test_another_process_with_the_same_folder_agrees(tmp_path):
    token = sign(Keyring(tmp_path))
    assert verify(Keyring(tmp_path), token)["jti"] == "x"
    assert Keyring(tmp_path).secret("entry") == Keyring(tmp_path).secret("entry")


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("wrong-audience", {"audience": "2"}),
        ("not-yet", {"now_s": 99}),
        ("expired", {"now_s": 200}),
        ("bad-token", {"typ": "ticket+jwt"}),
        ("bad-token", {"purpose": "ticket"}),
    ],
)
def test_a_token_fails_for_the_wrong_use_or_time(keyring, reason, change):
    token = sign(keyring)
    keyring.sign("ticket", CLAIMS, typ="ticket+jwt")
    # A second look comes from the memory of verified tokens and must refuse just the same.
    verify(keyring, token)
    for _ in range(2):
        with pytest.raises(TokenRefusedError, match=reason):
            verify(keyring, token, **change)


def test_a_foreign_key_another_algorithm_and_a_changed_letter_are_refused(keyring, tmp_path):
    good = sign(keyring)
    kid = jwt.get_unverified_header(good)["kid"]
    header = {"kid": kid, "typ": "pass+jwt"}
    foreign = sign(Keyring(tmp_path / "other"))
    hmac = jwt.encode(CLAIMS, "secret" * 8, algorithm="HS256", headers=header)
    unsigned = jwt.encode(CLAIMS, "", algorithm="none", headers=header)
    head, body, signature = good.split(".")
    turned = signature[:10] + ("A" if signature[10] != "A" else "B") + signature[11:]
    for bad in (foreign, hmac, unsigned, f"{head}.{body}.{turned}", "", "x", "a.b.c", "é.b.c"):
        with pytest.raises(TokenRefusedError, match="bad-token"):
            verify(keyring, bad)


def test_after_a_rotation_the_key_before_still_verifies_and_the_one_before_that_does_not(keyring):
    first = sign(keyring)
    keyring.rotate("pass")
    second = sign(keyring)
    assert verify(keyring, first)
    assert verify(keyring, second)
    keyring.rotate("pass")
    assert verify(keyring, second)
    with pytest.raises(TokenRefusedError):
        verify(keyring, first)
    kids = [key["kid"] for key in keyring.jwks("pass")["keys"]]
    assert len(kids) == 2
    assert jwt.get_unverified_header(sign(keyring))["kid"] == kids[-1]


def test_published_keys_verify_a_pass_without_us(keyring):
    token = sign(keyring)
    kid = jwt.get_unverified_header(token)["kid"]
    published = jwt.PyJWKSet.from_dict(keyring.jwks("pass"))
    claims = jwt.decode(
        token,
        published[kid].key,
        algorithms=["EdDSA"],
        options={"verify_exp": False, "verify_aud": False},
    )
    assert claims["sub"] == "aru"
    assert "d" not in keyring.jwks("pass")["keys"][0]
