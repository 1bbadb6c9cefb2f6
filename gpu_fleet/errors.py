"""Every error that synthscale raises on purpose, drawn as one tree.

A caller branches on the class, never on the text; the text is for the person who has to act.
It says what is wrong, with which object, and what to do next.
This module must not import anything, so that any module may raise from it.

    SynthscaleError                 anything we raise on purpose
    |-- InputError                  a file, a flag or an object from outside is wrong      exit 2
    |-- FleetError                  the fleet was asked for something it cannot do         exit 1
    |   |-- UnknownName             a node, pod, shape or policy that is not there
    |   |-- DuplicateName           a node or pod that is there already
    |   `-- Oversubscribed          a placement that does not fit what is free
    |-- ServiceError                a process in a cluster cannot do its work              exit 1
    |   |-- CertificateUnusable     a certificate or key that cannot be served or trusted
    |   |-- LeadershipLost          somebody else leads now, or nobody knows who does
    |   `-- KubeError               the API server refused, or could not be asked
    |       |-- KubeUnreachable     no answer: refused, timed out, cut off
    |       |-- KubeUnauthorized    401: it does not know who we are
    |       |-- KubeForbidden       403: it knows, and we may not
    |       |-- KubeNotFound        404: no such object, or no such kind
    |       |-- KubeConflict        409: taken, changed meanwhile, or owned by another manager
    |       |-- KubeExpired         410: too old a version to go on from; list again
    |       |-- KubeInvalid         400, 422: the object or the request is wrong
    |       |-- KubeThrottled       429: ask again, later
    |       `-- KubeMalformed       an answer that cannot be read
    |-- SimulationError             a simulation was driven against its own rules          exit 1
    `-- InvariantBroken             the independent checker found a contradiction          exit 1
"""

from __future__ import annotations

__all__ = [
    "CertificateUnusable",
    "DuplicateName",
    "FleetError",
    "InputError",
    "InvariantBroken",
    "KubeConflict",
    "KubeError",
    "KubeExpired",
    "KubeForbidden",
    "KubeInvalid",
    "KubeMalformed",
    "KubeNotFound",
    "KubeThrottled",
    "KubeUnauthorized",
    "KubeUnreachable",
    "LeadershipLost",
    "Oversubscribed",
    "ServiceError",
    "SimulationError",
    "SynthscaleError",
    "UnknownName",
]


class SynthscaleError(Exception):
    """The root: catch it at the edge of a process, print its text, leave with `exit_code`."""

    exit_code: int = 1


class InputError(SynthscaleError):
    """Something from outside cannot be used; nothing was written and nothing was lost.

    The message reads `FILE:LINE: FIELD: PROBLEM; REMEDY`, with the parts that are known.
    """

    exit_code = 2

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        self.problem = problem
        self.remedy = remedy
        self.file = file
        self.line = line
        self.field = field
        place = "" if file is None else f"{file}: " if line is None else f"{file}:{line}: "
        what = "" if field is None else f"{field}: "
        super().__init__(f"{place}{what}{problem}; {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles by its parts, so that a complaint crosses from a worker process unharmed."""
        parts = (self.problem, self.remedy, self.file, self.line, self.field)
        return _input_error, (type(self), *parts)

    def within(self, file: str, line: int | None = None) -> InputError:
        """The same complaint, told by a reader that knows which file and line it came from."""
        return InputError(
            self.problem,
            remedy=self.remedy,
            file=self.file or file,
            line=self.line if self.line is not None else line,
            field=self.field,
        )


def _input_error(
    kind: type[InputError],
    problem: str,
    remedy: str,
    file: str | None,
    line: int | None,
    field: str | None,
) -> InputError:
    return kind(problem, remedy=remedy, file=file, line=line, field=field)


class FleetError(SynthscaleError):
    """The fleet's state does not allow what was asked."""


class UnknownName(FleetError):
    """A name that nothing answers to."""


class DuplicateName(FleetError):
    """A name that is taken."""


class Oversubscribed(FleetError):
    """A placement that asks a node or a device for more than it has free."""


class ServiceError(SynthscaleError):
    """A process in a cluster cannot do, or cannot go on doing, what it is for."""


class CertificateUnusable(ServiceError):
    """A certificate, key or authority file that cannot be served or trusted; the text names it."""


class LeadershipLost(ServiceError):
    """What only a leader may do was asked of a process that does not lead now."""


class KubeError(ServiceError):
    """The API server refused, or could not be asked.

    `status` is the HTTP status, None where there was no answer; `reason` is the API's own word
    (`Conflict`, `Forbidden`), empty where it gave none; `retry_after_s` is what it asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        reason: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.reason = reason
        self.retry_after_s = retry_after_s
        super().__init__(message)


class KubeUnreachable(KubeError):
    """No answer came: the connection was refused, timed out or was cut off."""


class KubeUnauthorized(KubeError):
    """401: the API server does not know who we are."""


class KubeForbidden(KubeError):
    """403: the API server knows who we are, and we may not."""


class KubeNotFound(KubeError):
    """404: there is no such object, or no such kind of object."""


class KubeConflict(KubeError):
    """409: the name is taken, the object has changed, or another manager owns the field."""


class KubeExpired(KubeError):
    """410: the version asked for is forgotten; only a new list helps."""


class KubeInvalid(KubeError):
    """400 or 422: the request or the object in it is wrong."""


class KubeThrottled(KubeError):
    """429: the API server asks for patience (`retry_after_s`)."""


class KubeMalformed(KubeError):
    """An answer that cannot be read as what was asked for."""


class SimulationError(SynthscaleError):
    """A simulation was asked to break its own rules, such as going back in time."""


class InvariantBroken(SynthscaleError):
    """The checker, which recomputes everything from the log, found what cannot be."""
