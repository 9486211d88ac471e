"""``leadwright demo``."""

import tempfile
from pathlib import Path


def test_the_demo_shows_what_it_claims_and_leaves_nothing(embedded) -> None:
    before = set(Path(tempfile.gettempdir()).glob("leadwright-demo-*"))
    finished = embedded("demo")
    assert finished.returncode == 0, finished.stdout
    assert finished.stderr == ""
    assert "NOT SO" not in finished.stdout
    assert finished.stdout.count("  ok: ") == 14
    assert "\x1b" not in finished.stdout
    assert '"leadsAdded": 2' in finished.stdout
    assert '"duplicatesSkipped": 2' in finished.stdout
    for deed in ("visited", "invited", "accepted", "messaged, variant ", "replied", "invitation withdrawn"):
        assert deed in finished.stdout
    assert "waiting_for_acceptance" in finished.stdout
    assert '"eventType": "reply.received"' in finished.stdout
    assert not Path(embedded.settings["data_dir"]).exists(), "it keeps to its scratch folder"
    assert set(Path(tempfile.gettempdir()).glob("leadwright-demo-*")) <= before
