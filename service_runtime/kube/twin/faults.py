"""What can go wrong between us and an API server, switched on by a test.

Each switch is a fault that was seen in the field: no route, a cut stream, a slow answer, a
missing right, a throttle. It must not choose when a fault happens: whoever tests does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service_runtime.kube.refusals import Asked, refused, unreachable
from service_runtime.kube.wire import Status

if TYPE_CHECKING:
    from gpu_fleet.errors import KubeError
    from service_runtime.kube.api import Resource

__all__ = ["Faults"]


@dataclass(slots=True)
class _Refusal:
    code: int
    verb: str
    resource: Resource | None
    times: int | None
    retry_after_s: float | None

    def concerns(self, asked: Asked) -> bool:
        return self.verb == asked.verb and self.resource in {None, asked.resource}


@dataclass(slots=True)
class Faults:
    """The faults that are on; every request passes `check` first."""

    down: bool = False
    """Nothing answers, and open streams break."""
    delay_s: float = 0.0
    """Every answer takes so long."""
    expiry_as_status: bool = False
    """A watch from a forgotten version is refused with 410, instead of by an ERROR event."""
    cuts: int = 0
    """How often all open streams were cut."""
    _refusals: list[_Refusal] = field(default_factory=list)

    def cut(self) -> None:
        """Break every open stream once."""
        self.cuts += 1

    def refuse(
        self,
        code: int,
        verb: str,
        resource: Resource | None = None,
        *,
        times: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Answer `verb` with an HTTP status, `times` over or until `allow`."""
        self._refusals.append(_Refusal(code, verb, resource, times, retry_after_s))

    def allow(self) -> None:
        """Refuse nothing from now on."""
        self._refusals.clear()

    def check(self, asked: Asked, *, cuts: int | None = None) -> None:
        """Raise what this request runs into; `cuts` is the count when a stream began."""
        if self.down:
            raise unreachable(asked, "connection refused")
        if cuts is not None:
            if cuts != self.cuts:
                raise unreachable(asked, "connection reset")
            return
        refusal = next((one for one in self._refusals if one.concerns(asked)), None)
        if refusal is not None:
            raise self._raised(refusal, asked)

    def _raised(self, refusal: _Refusal, asked: Asked) -> KubeError:
        if refusal.times is not None:
            refusal.times -= 1
            if refusal.times <= 0:
                self._refusals.remove(refusal)
        status = Status(refusal.code, "Injected", "refused on purpose")
        return refused(asked, refusal.code, status, retry_after_s=refusal.retry_after_s)
