"""How patient a service is with its own parts, at the start and at the end.

The defaults fit the 30 seconds that Kubernetes gives a pod to end. This module must hold choices
only.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["ProcessSettings"]


class ProcessSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on starting and ending."""

    start_limit_s: Annotated[
        float,
        Meta(
            description="A part that is not ready after this long ends the service, with exit "
            "code 1; until then it may retry, for instance an API server that is not there yet.",
            gt=0,
            le=3600,
        ),
    ] = 60.0
    stop_limit_s: Annotated[
        float,
        Meta(
            description="A part that has not ended this long after it was asked to is given up, "
            "with exit code 1; more than any part's own drain, less than the pod's "
            "terminationGracePeriodSeconds.",
            gt=0,
            le=3600,
        ),
    ] = 25.0
    hard_stop_limit_s: Annotated[
        float,
        Meta(
            description="After a second signal everything is cancelled at once, and what has not "
            "ended after this long is given up.",
            gt=0,
            le=60,
        ),
    ] = 1.0
