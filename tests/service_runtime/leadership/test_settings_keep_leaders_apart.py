"""Settings with which two could lead at once are refused, with the reason and by client-go's rules.

Only the numbers are judged here. How settings come from files is told beside the settings reader.
"""

from __future__ import annotations

import msgspec
import pytest

from service_runtime.leadership import LeadershipSettings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"renew_deadline_s": 15.0}, "lease_duration_s (15) must be greater than renew_deadline_s"),
        ({"retry_period_s": 8.4}, "must be greater than 1.2 x retry_period_s (8.4)"),
        ({"request_timeout_s": 10.0}, "request_timeout_s (10) must be less than renew_deadline_s"),
        ({"lease_duration_s": 0}, "`$.lease_duration_s`"),
        ({"lease_duration_s": 15.5}, "`$.lease_duration_s`"),
        ({"lease_s": 15}, "unknown field `lease_s`"),
    ],
    ids=["no gap", "no second attempt", "one long request", "no lease", "half a second", "typo"],
)
def test_numbers_that_endanger_a_reign_are_refused(given: dict[str, object], told: str) -> None:
    """The message says which number, against which other, and what would go wrong."""
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(given, LeadershipSettings)

    assert told in str(refused.value)


def test_the_defaults_are_client_gos_and_bear_a_drift_of_a_fifth() -> None:
    """15 s, 10 s and 2 s; clocks may differ from true by 20 % in rate."""
    settings = LeadershipSettings()
    three = (settings.lease_duration_s, settings.renew_deadline_s, settings.retry_period_s)

    assert three == (15, 10.0, 2.0)
    assert pytest.approx(settings.drift_bound) == 0.2
