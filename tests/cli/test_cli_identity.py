"""``leadwright identity``; it works without a database."""

import json


def test_people_as_a_table(unreachable) -> None:
    shown = unreachable.done("identity", "HTTPS://uk.LinkedIn.com/in/Jane-Smith/", "in/jane-smith")
    header, first, second = shown.splitlines()
    assert header.split("\t") == ["url", "kind", "key", "code", "reason"]
    assert first.split("\t")[1:3] == second.split("\t")[1:3] == ["slug", "jane-smith"]


def test_a_refused_address_exits_with_1(unreachable) -> None:
    finished = unreachable("identity", "--json", "linkedin.com/in/jane", "https://linkedin.com.evil.example/in/jane")
    assert finished.returncode == 1
    accepted, refused = json.loads(finished.stdout)
    assert accepted == {
        "url": "linkedin.com/in/jane",
        "kind": "slug",
        "key": "jane",
        "code": None,
        "reason": None,
    }
    assert (refused["kind"], refused["key"], refused["code"]) == (None, None, "wrong_host")
    assert "linkedin.com" in refused["reason"]


def test_bytes_that_are_no_text(unreachable) -> None:
    finished = unreachable("identity", "in/\udcff")
    assert finished.returncode == 1
    assert "Traceback" not in finished.stderr
