"""How long a leader's word holds, and how often it is given again.

The three numbers are client-go's, with its defaults and its conditions, because electors of both
kinds share one Lease and each must be able to trust the other's arithmetic. This module must not
read a file or the environment: it says what can be set, not what is.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["JITTER_FACTOR", "LeadershipSettings"]

JITTER_FACTOR = 1.2
"""A follower waits one to 2.2 retry periods, drawn anew each time, as client-go's do."""


class LeadershipSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a leader is taken for gone, and when it has to stop by itself before that."""

    lease_duration_s: Annotated[
        int,
        Meta(
            description="A follower takes over when it has seen no renewal for this long; whole "
            "seconds, since that is how a Lease tells it.",
            ge=1,
            le=3600,
        ),
    ] = 15
    renew_deadline_s: Annotated[
        float,
        Meta(
            description="A leader stops acting when the last renewal that succeeded was begun "
            "this long ago; less than `lease_duration_s`, and the gap between the two is what "
            "clocks may differ in rate.",
            gt=0,
            le=3600,
        ),
    ] = 10.0
    retry_period_s: Annotated[
        float,
        Meta(
            description="Between two renewals of a leader; a follower looks after one to 2.2 of "
            "it. Must leave room for more than one attempt before `renew_deadline_s`.",
            gt=0,
            le=600,
        ),
    ] = 2.0
    request_timeout_s: Annotated[
        float,
        Meta(
            description="Longest wait for one answer of the API server, and for a release on the "
            "way out; less than `renew_deadline_s`, so that one lost answer costs no reign.",
            gt=0,
            le=600,
        ),
    ] = 5.0

    def __post_init__(self) -> None:
        """Refuse numbers with which two could lead at once or a leader could not keep its place."""
        if self.lease_duration_s <= self.renew_deadline_s:
            raise ValueError(
                f"lease_duration_s ({self.lease_duration_s:g}) must be greater than "
                f"renew_deadline_s ({self.renew_deadline_s:g}): others would take over before "
                "the leader has stopped"
            )
        if self.renew_deadline_s <= self.retry_period_s * JITTER_FACTOR:
            raise ValueError(
                f"renew_deadline_s ({self.renew_deadline_s:g}) must be greater than "
                f"{JITTER_FACTOR:g} x retry_period_s ({self.retry_period_s:g}): a leader would "
                "stop before its next renewal"
            )
        if self.request_timeout_s >= self.renew_deadline_s:
            raise ValueError(
                f"request_timeout_s ({self.request_timeout_s:g}) must be less than "
                f"renew_deadline_s ({self.renew_deadline_s:g}): one lost answer would end a reign"
            )

    @property
    def drift_bound(self) -> float:
        """How far from true the rate of any elector's clock may be, as a fraction (0.2 is 20 %).

        A leader whose clock is slow by r acts for renew_deadline / (1 - r), a follower whose clock
        is fast by r waits for lease_duration / (1 + r); up to this bound the first is shorter.
        """
        gap_s = self.lease_duration_s - self.renew_deadline_s
        return gap_s / (self.lease_duration_s + self.renew_deadline_s)
