"""No registered secret leaves the process in any text."""

from __future__ import annotations

import base64
import io
import json
import logging
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelint.config.masking import MASK, Masker, MaskingFormatter, masker

texts = st.text(st.characters(exclude_categories=["Cs"]))
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40)


@given(st.lists(secrets, min_size=1, max_size=4), st.lists(texts, min_size=5, max_size=5))
def test_no_registered_secret_survives(known: list[str], around: list[str]) -> None:
    one = Masker()
    for secret in known:
        one.register(secret)
    masked = one.mask("".join(text + secret for text, secret in zip(around, known, strict=False)))
    assert not any(secret in masked for secret in known)


SECRET = 'p@ss/w"ör d+&-0123456789'
FORMS = {
    "plain": SECRET,
    "quoted for a path": quote(SECRET),
    "quoted for a parameter": quote(SECRET, safe=""),
    "quoted for a form": quote_plus(SECRET),
    "quoted in lower case": re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe="")),
    "json": json.dumps({"a": SECRET}),
    "json with accents": json.dumps({"a": SECRET}, ensure_ascii=False),
    "python": repr([SECRET]),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "basic authentication": base64.b64encode(f"user:{SECRET}".encode()).decode(),
    "shifted base64": base64.b64encode(f"usr:x{SECRET}!".encode()).decode(),
    "url-safe base64": base64.urlsafe_b64encode(SECRET.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_masked_in_every_form_it_travels_in(form: str) -> None:
    one = Masker()
    one.register(SECRET)
    masked = one.mask(FORMS[form])
    assert MASK in masked
    assert "0123456789" not in masked
    assert base64.b64encode(SECRET.encode()).decode()[4:24] not in masked


def test_the_longest_secret_is_masked_first() -> None:
    one = Masker()
    one.register("token")
    one.register("token-of-acme")
    assert one.mask("a token-of-acme and a token") == "a *** and a ***"


def test_the_lines_of_a_private_key_are_masked_one_by_one() -> None:
    one = Masker()
    one.register("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\nshort\n")
    assert one.mask("  MIIEvQIBADANBgkqhkiG") == "  ***"


def test_what_is_too_short_to_be_a_secret_does_not_blank_out_words() -> None:
    one = Masker()
    one.register("on")
    one.register("")
    assert one.mask("mode: on") == "mode: on"


def test_a_masker_shows_and_carries_no_secret() -> None:
    one = Masker()
    one.register("geheim-4713")
    assert "geheim" not in repr(one)
    assert one.__reduce__() == "masker"


def test_log_lines_are_masked_with_arguments_and_tracebacks() -> None:
    masker.register("geheim-4714")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(MaskingFormatter(logging.Formatter("%(message)s %(token)s")))
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        int("refused geheim-4714")
    except ValueError:
        logger.exception("sent %s", "geheim-4714", extra={"token": "geheim-4714"})
    assert "sent *** ***" in stream.getvalue()
    assert "'refused ***'" in stream.getvalue()
    assert "geheim" not in stream.getvalue()
