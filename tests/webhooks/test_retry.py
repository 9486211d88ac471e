"""The retry schedule: as it is set, a little later by chance, longer when the receiver asks for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadwright.webhooks.retry import LONGEST_RETRY_AFTER, delay, probe_delay

SCHEDULE = (5, 30, 120, 900, 3600)


@given(used=st.integers(0, 4), jitter=st.floats(0, 1), asked=st.none() | st.floats(0, 1e9))
def test_a_wait_is_the_schedules_or_what_the_receiver_asked_for(used, jitter, asked):
    wait = delay(SCHEDULE, used, jitter, asked)
    assert wait is not None
    assert SCHEDULE[used] <= wait <= max(SCHEDULE[used] * 1.1, min(asked or 0, LONGEST_RETRY_AFTER))
    if asked is not None:
        assert wait >= min(asked, LONGEST_RETRY_AFTER)


def test_retries_run_out():
    assert [delay(SCHEDULE, used, 0, None) for used in range(6)] == [5, 30, 120, 900, 3600, None]
    assert delay(SCHEDULE, 5, 0, 1000) is None


@pytest.mark.parametrize("schedule", [(5,), SCHEDULE])
def test_a_probe_comes_as_often_as_the_longest_wait_or_as_it_is_asked_for(schedule):
    assert probe_delay(schedule, None) == probe_delay(schedule, 1) == schedule[-1]
    assert probe_delay(schedule, 1e9) == LONGEST_RETRY_AFTER
    assert probe_delay((5,), 600) == 600
