"""What is signed verifies with every kind of receiver, also while the secret rotates."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from leadwright.outbound.client import parts_of, retry_after, scrubbed
from leadwright.outbound.signing import Signer, new_secret
from leadwright.webhooks.delivery import known_secrets


def by_hand(secret: str, header: str, body: bytes, *, first: bool) -> bool:
    """A receiver that demands key=value of every part, and takes the first or the last of repeated keys."""
    pairs = [part.split("=", 1) for part in header.split(",")]
    assert all(len(pair) == 2 for pair in pairs)
    read = dict(reversed(pairs)) if first else dict(pairs)
    wanted = hmac.new(secret.encode(), read["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(wanted, read["s"])


@given(body=st.binary(max_size=300))
def test_every_receiver_accepts(body):
    secret = new_secret()
    signed = Signer(secret).headers("evt_1", body, int(time.time()))
    assert by_hand(secret, signed["Webhook-Signature"], body, first=True)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    mac = hmac.new(key, b"evt_1." + signed["svix-timestamp"].encode() + b"." + body, hashlib.sha256).digest()
    assert signed["svix-signature"] == f"v1,{base64.b64encode(mac).decode()}"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("primary", ["current", "previous"])
def test_while_rotating_each_receiver_finds_a_signature_of_its_own(first, primary):
    old, new, body = new_secret(), new_secret(), b'{"a":1}'
    signed = Signer(new, old).headers("evt_1", body, int(time.time()), primary=primary)
    known = {"current": new, "previous": old}
    assert by_hand(known[primary], signed["Webhook-Signature"], body, first=first)
    mapped = {name.replace("svix-", "webhook-"): value for name, value in signed.items() if name.startswith("svix")}
    for secret in (old, new):
        SvixWebhook(secret).verify(body, signed)
        StandardWebhook(secret).verify(body, mapped)


@given(secret=st.text("abcdef", min_size=8, max_size=40), before=st.text("xyz", max_size=30), kept=st.integers(0, 70))
def test_no_part_of_a_secret_that_tells_something_stays(secret, before, kept):
    shown = scrubbed((before + secret)[:kept], [secret])
    assert not any(secret[:n] in shown for n in range(4, len(secret) + 1))
    assert shown.startswith(before[:kept])


def test_words_of_a_header_are_hidden_one_by_one():
    assert scrubbed("you sent 0123456789", parts_of("Bearer 0123456789")) == "you sent •••"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("12", 12.0), (" 7 ", 7.0), ("soon", None), ("-5", None), ("1" * 30, None), ("", None)],
)
def test_retry_after(value, seconds):
    assert retry_after(value) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("Sun, 01 Mar 2026 12:10:00 GMT", 600.0),
        ("Sun, 01 Mar 2026 13:10:00 +0100", 600.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:10:00 -0000", None),
        ("Sun, 99 Mar 2026 12:10:00 GMT", None),
    ],
)
def test_retry_after_as_a_date(value, seconds):
    assert retry_after(value, datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize("shown", [str, json.dumps, lambda text: json.dumps(text).replace("/", "\\/"), quote, repr])
def test_a_secret_is_hidden_however_a_receiver_writes_it(shown):
    secret = "whsec_a/b+c/d=="
    password = 'with/a "word"'
    pair = base64.b64encode(f"robot:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "X-Key": "k/e/y&s"}
    known = known_secrets(secret, None, headers)
    for each in (secret, secret.removeprefix("whsec_"), *headers.values(), password):
        assert scrubbed(f"you sent {shown(each)}, thank you", known).count("•••") >= 1
        assert shown(each).strip("\"'") not in scrubbed(f"you sent {shown(each)}, thank you", known)
