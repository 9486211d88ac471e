"""Which outcomes are written together."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from leadwright.channels.channel import Done
from leadwright.engine.action_store import Action
from leadwright.engine.settlement import Settled
from leadwright.engine.settler import AT_ONCE, parts

LEADS = st.lists(st.sampled_from([None, "ada", "bert", "cleo"]), max_size=30)


def of(number: int, lead_id: str | None) -> Settled:
    action = Action(
        id=str(number),
        lead_id=lead_id,
        campaign_id=None,
        sender_id="sender",
        identity_kind="linkedin_vanity",
        identity_key="ada",
        linkedin_url="https://www.linkedin.com/in/ada",
        step_id=None,
        step_number=None,
        sequence_version=None,
        variant=None,
        kind="visit_profile",
        content={},
        state="performing",
        attempt=1,
        token=1,
        quota=[],
        planned_at=datetime(2026, 3, 2, tzinfo=UTC),
        performing_at=None,
        external_id=None,
    )
    return Settled("workspace", action, 1, Done())


@given(LEADS)
def test_no_lead_is_twice_in_one_part_and_the_order_is_kept(leads: list[str | None]) -> None:
    outcomes = [of(number, lead_id) for number, lead_id in enumerate(leads)]
    found = parts(outcomes)
    assert [each for part in found for each in part] == outcomes
    for part in found:
        present = [each.action.lead_id for each in part if each.action.lead_id is not None]
        assert len(present) == len(set(present))


def test_a_part_is_bounded() -> None:
    outcomes = [of(number, f"lead {number}") for number in range(2 * AT_ONCE + 1)]
    assert [len(part) for part in parts(outcomes)] == [AT_ONCE, AT_ONCE, 1]
