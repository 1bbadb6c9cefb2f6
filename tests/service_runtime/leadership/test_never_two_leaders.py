"""Whatever happens to clocks, processes and the network: one leader at a time, an epoch each.

The shipped elector runs through Hypothesis' stories; `make prove` runs thousands of them. That the
checker would notice is shown in `test_planted_bugs_are_caught`. Nothing here may mend a story.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from service_runtime.leadership import LeadershipSettings
from service_runtime.leadership.settings import JITTER_FACTOR
from tests.service_runtime.leadership.stories import (
    FAULTS_END_S,
    SLOWEST,
    WORST_DELAY_S,
    Story,
    stories,
)
from tests.service_runtime.leadership.world import contradictions, first_leader_s

_QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_PROOF = settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_DEFAULT = LeadershipSettings()
_LONGEST_LOOK_S = (1 + JITTER_FACTOR) * _DEFAULT.retry_period_s
_ONE_ACTION_S = 1.5
TAKEOVER_BOUND_S = (
    _DEFAULT.lease_duration_s + 2 * _LONGEST_LOOK_S + _DEFAULT.request_timeout_s + _ONE_ACTION_S
) / SLOWEST
"""By the slowest clock: an attempt that hangs, the look that first sees the record, a lease, the
look that finds it over; and then the first action."""


def never_two(story: Story) -> None:
    """No contradiction in what comes of a story, and a leader once the faults are over."""
    _, history = story.run()
    leads_s = first_leader_s(history, FAULTS_END_S)

    assert contradictions(history) == []
    assert leads_s is not None
    # The last message of the bad time may be a renewal that arrives this late.
    assert leads_s <= FAULTS_END_S + WORST_DELAY_S + TAKEOVER_BOUND_S


def never_two_at_once(story: Story) -> None:
    """No two leaders at one instant, though the Lease was deleted under them."""
    _, history = story.run()

    assert [text for text in contradictions(history) if "beside" in text] == []


@given(stories())
@_QUICK
def test_one_leads_at_a_time_and_in_an_epoch_of_its_own(story: Story) -> None:
    """Clock steps, drift, pauses, lost and late messages, kills and releases change nothing."""
    never_two(story)


@given(stories(deletion=True))
@_QUICK
def test_a_deleted_lease_lets_no_second_leader_in(story: Story) -> None:
    """Who has seen the Lease waits a lease's time for one that vanished."""
    never_two_at_once(story)


@pytest.mark.prove
@given(stories())
@_PROOF
def test_one_leads_at_a_time_in_thousands_of_stories(story: Story) -> None:
    """The same property, at the full count."""
    never_two(story)


@pytest.mark.prove
@given(stories(deletion=True))
@_PROOF
def test_a_deleted_lease_lets_no_second_leader_in_in_thousands_of_stories(story: Story) -> None:
    """The same property, at the full count."""
    never_two_at_once(story)
