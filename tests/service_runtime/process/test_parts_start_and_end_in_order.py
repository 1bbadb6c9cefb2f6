"""Parts start in order, end in reverse, and whatever goes wrong on the way is named and coded."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError, KubeUnreachable
from service_runtime.process import Ending, ProcessSettings, Readiness, run_service
from service_runtime.serve.health import NotReady, Ready
from service_runtime.telemetry import RecordedLog
from tests.service_runtime.process.parts import Scripted, SentSignals
from tests.service_runtime.stepped import SteppedTiming, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from service_runtime.process import Part

WRONG = InputError("no such pool", remedy="name one that exists", field="pool")
LOST = KubeUnreachable("the API server is gone; look at its events")


class Life:
    """A service under test: its parts, its clock, its signals and what it told."""

    def __init__(self) -> None:
        self.story: list[str] = []
        self.log = RecordedLog()
        self.timing = SteppedTiming()
        self.signals = SentSignals()
        self.readiness = Readiness()
        self.task: asyncio.Task[Ending] | None = None

    def part(self, name: str, **script: object) -> Scripted:
        """A part of this service."""
        return Scripted(name, self.story, **script)  # type: ignore[arg-type]

    async def begin(self, *parts: Part) -> None:
        """Start the service and let it come to rest."""
        self.task = asyncio.create_task(
            run_service(
                parts,
                timing=self.timing,
                log=self.log,
                settings=ProcessSettings(),
                readiness=self.readiness,
                signals=self.signals,
            )
        )
        await settle()

    async def send(self, one: signal.Signals) -> None:
        """A signal comes."""
        self.signals.send(one)
        await settle()

    def ending(self) -> Ending:
        """How it ended."""
        assert self.task is not None
        assert self.task.done()
        return self.task.result()


@pytest.fixture
async def life() -> AsyncIterator[Life]:
    """A service to be; whatever the test did, it leaves no task behind."""
    one = Life()
    yield one
    await settle()
    left = {task.get_name() for task in asyncio.all_tasks() if "part " in task.get_name()}

    assert left == set()


async def test_sigterm_ends_every_part_in_reverse_order(life: Life) -> None:
    """Three parts start in order; SIGTERM ends the last first, with exit code 0."""
    await life.begin(life.part("a"), life.part("b"), life.part("c"))
    await life.send(signal.SIGTERM)

    assert life.story == [
        *("a starts", "b starts", "c starts"),
        *("c drains", "c ended", "b drains", "b ended", "a drains", "a ended"),
    ]
    assert (life.ending().code, life.ending().line) == (0, "")
    assert life.log.names()[-2:] == ["service_ending", "service_ended"]


async def test_ctrl_c_is_130(life: Life) -> None:
    """SIGINT ends in the same order, with the code a shell expects."""
    await life.begin(life.part("a"))
    await life.send(signal.SIGINT)

    assert life.ending().code == 130


async def test_a_part_starts_when_the_one_before_is_ready(life: Life) -> None:
    """While the view is not synced nothing that needs it starts, and the service is not ready."""
    await life.begin(life.part("view", becomes_ready=False), life.part("serve"))

    assert life.story == ["view starts"]
    assert life.readiness.check() == NotReady("not ready yet: view, serve")
    await life.send(signal.SIGTERM)
    assert life.ending().code == 0
    assert life.story == ["view starts", "view drains", "view ended"]


async def test_readiness_follows_the_parts(life: Life) -> None:
    """Ready once all are, not ready as soon as the end begins, before any part has ended."""
    slow = life.part("serve", drains=False)

    assert life.readiness.check() == NotReady("nothing has been started yet")
    await life.begin(life.part("view"), slow)
    assert life.readiness.check() == Ready()
    await life.send(signal.SIGTERM)
    assert life.readiness.check() == NotReady("the service is ending")
    assert "view drains" not in life.story
    slow.drained.set()
    await settle()
    assert life.ending().code == 0


async def test_a_part_that_is_never_ready_is_named(life: Life) -> None:
    """After the start limit the service ends and says which part it waited for."""
    await life.begin(life.part("a"), life.part("view", becomes_ready=False))
    await life.timing.pass_s(61)

    assert life.ending().code == 1
    assert life.ending().line.startswith("view: not ready within 60 s")
    assert life.story[-2:] == ["a drains", "a ended"]


@pytest.mark.parametrize(
    ("cause", "code", "line"),
    [
        (None, 1, "view: ended by itself; look at its last event"),
        (LOST, 1, f"view: {LOST}"),
        (WRONG, 2, "view: pool: no such pool; name one that exists"),
        (ZeroDivisionError("a bug"), 1, "view: ZeroDivisionError: a bug"),
        (
            ExceptionGroup("both", [LOST, ExceptionGroup("in", [WRONG])]),
            2,
            f"view: {LOST}; {WRONG}",
        ),
    ],
)
async def test_a_part_that_ends_takes_the_service_down(
    life: Life, cause: BaseException | None, code: int, line: str
) -> None:
    """The others end in order, and code and line say which part it was and why."""
    view = life.part("view", raises=cause)
    await life.begin(life.part("a"), view, life.part("c"))
    view.over.set()
    await settle()

    assert (life.ending().code, life.ending().line) == (code, line)
    assert life.story[-4:] == ["c drains", "c ended", "a drains", "a ended"]
    assert [one.fields["part"] for one in life.log.named("part_failed")] == ["view"]


async def test_a_part_that_fails_while_starting_is_named(life: Life) -> None:
    """A part that raises before it is ready is a failure, not a wait."""
    broken = life.part("serve", becomes_ready=False, raises=WRONG)
    broken.over.set()
    await life.begin(life.part("a"), broken, life.part("c"))

    assert life.ending().code == 2
    assert life.story == ["a starts", "serve starts", "serve ended", "a drains", "a ended"]


async def test_a_part_that_fails_while_another_starts_is_named(life: Life) -> None:
    """What has started is watched while the next starts."""
    first = life.part("a", raises=LOST)
    await life.begin(first, life.part("view", becomes_ready=False))
    first.over.set()
    await settle()

    assert life.ending().line == f"a: {LOST}"


async def test_what_fails_on_the_way_out_is_not_lost(life: Life) -> None:
    """A part that raises while it ends makes the exit code 1, and the others still end."""
    await life.begin(life.part("a"), life.part("b", raises_at_end=LOST), life.part("c"))
    await life.send(signal.SIGTERM)

    assert (life.ending().code, life.ending().part) == (1, "b")
    assert life.story[-1] == "a ended"


async def test_the_first_failure_is_the_reason(life: Life) -> None:
    """A second failure on the way out is told as an event, and does not hide the first."""
    first = life.part("c", raises=WRONG)
    await life.begin(life.part("a", raises_at_end=LOST), first)
    first.over.set()
    await settle()

    assert (life.ending().code, life.ending().part) == (2, "c")
    assert [one.fields["part"] for one in life.log.named("part_failed")] == ["c", "a"]


async def test_a_part_that_does_not_end_is_given_up(life: Life) -> None:
    """After the stop limit the parts below it get their turn, and the exit code is 1."""
    stuck = life.part("serve", drains=False, stubborn=True)
    await life.begin(life.part("a"), stuck)
    await life.send(signal.SIGTERM)
    await life.timing.pass_s(26)

    assert life.ending().code == 1
    assert life.ending().line == "serve: did not end within 25 s, and was given up"
    assert life.story[-2:] == ["a drains", "a ended"]
    stuck.drained.set()


async def test_a_second_signal_cuts_the_end_short(life: Life) -> None:
    """Everything is cancelled at once, draining parts again, and the code names the signal."""
    slow = life.part("serve", drains=False)
    await life.begin(life.part("a"), slow)
    await life.send(signal.SIGTERM)

    assert life.story[-1] == "serve drains"
    await life.send(signal.SIGTERM)
    assert life.ending().code == 143
    assert life.log.names()[-1] == "service_cut_short"


async def test_a_second_signal_waits_no_longer_than_its_limit(life: Life) -> None:
    """Even a part that refuses to be cancelled holds a hard stop for a second only."""
    stuck = life.part("serve", drains=False, stubborn=True)
    await life.begin(stuck)
    await life.send(signal.SIGINT)
    await life.send(signal.SIGINT)
    await life.timing.pass_s(1.1)

    assert life.ending().code == 130
    assert life.log.named("part_failed")[0].fields["part"] == "serve"
    stuck.drained.set()


async def test_a_first_signal_during_a_failure_is_patient(life: Life) -> None:
    """A service that is already ending is not cut short by the first SIGTERM."""
    failing, slow = life.part("a", raises=LOST), life.part("b", drains=False)
    await life.begin(failing, slow)
    failing.over.set()
    await life.send(signal.SIGTERM)

    assert life.story[-1] == "b drains"
    slow.drained.set()
    await settle()
    assert (life.ending().code, life.ending().part) == (1, "a")


async def test_whoever_cancels_the_runner_gets_every_part_ended(life: Life) -> None:
    """A runner that is itself cancelled leaves no part behind."""
    await life.begin(life.part("a"), life.part("b"))
    assert life.task is not None
    life.task.cancel()
    await settle()

    assert life.task.cancelled()
    assert sorted(life.story[-4:]) == ["a drains", "a ended", "b drains", "b ended"]


async def test_what_nobody_awaits_is_told(life: Life) -> None:
    """A task that fails unseen becomes an event instead of silence."""
    await life.begin(life.part("a"))
    asyncio.get_running_loop().call_exception_handler(
        {"message": "never retrieved", "exception": LOST}
    )
    await life.send(signal.SIGTERM)

    assert life.log.named("loop_complained")[0].fields == {
        "message": "never retrieved",
        "cause": LOST,
    }
