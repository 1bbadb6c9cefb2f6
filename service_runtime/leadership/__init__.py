"""Who leads among the replicas of a service: election on a Lease, and the epoch that fences.

An `Elector` is a part; work that only a leader may do is handed to `Elector.lead` or asks
`Elector.require` at each action, and what it writes carries the reign's epoch (`fencing`).
Nothing here may decide what a leader does.
"""

from service_runtime.leadership.election import Reign
from service_runtime.leadership.elector import Elector, unique_identity
from service_runtime.leadership.fencing import epoch_of, with_epoch
from service_runtime.leadership.figures import LeadershipMetrics
from service_runtime.leadership.lease import LeaseName
from service_runtime.leadership.settings import LeadershipSettings

__all__ = [
    "Elector",
    "LeadershipMetrics",
    "LeadershipSettings",
    "LeaseName",
    "Reign",
    "epoch_of",
    "unique_identity",
    "with_epoch",
]
