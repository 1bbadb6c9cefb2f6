"""The control plane as pytest sees it: started once for a run, one namespace for each test.

A test that asks for it never skips: where it cannot be built the test fails and says what is
missing. Importing this must stay cheap, for every run of pytest does, whatever it selects.
"""

from __future__ import annotations

import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.fleet import Fleet

__all__ = [
    "cluster_tell",
    "control_plane",
    "fleet",
    "namespace",
    "pytest_configure",
    "pytest_itemcollected",
    "pytest_runtest_makereport",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
]

GROUP = "control_plane"
TIMES = pytest.StashKey[list[str]]()
"""What took how long, said at the end of the run; workers hand theirs to the run that owns them."""
CONTROLLERS_LIMIT_S = 120.0
_numbers = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing measured."""
    config.stash[TIMES] = []


def pytest_itemcollected(item: pytest.Item) -> None:
    """Send every test of the control plane to one worker, so that one is started (loadgroup).

    Here already, because pytest-xdist reads the marks before other hooks on the whole collection.
    """
    if GROUP in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.xdist_group(GROUP))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that asks for the control plane may not be skipped for the want of anything."""
    report = yield
    if report.skipped and GROUP in getattr(item, "fixturenames", ()) and not _is_xfail(report):
        report.outcome = "failed"
        report.longrepr = f"skipped, which no test of the control plane may be: {report.longrepr}"
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it measured."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["cluster_times"] = session.config.stash[TIMES]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """The run takes what a worker measured."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]  # xdist has no types
    config.stash[TIMES] += getattr(node, "workeroutput", {}).get("cluster_times", [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what took how long, where a control plane was built or started."""
    if config.stash[TIMES]:
        terminalreporter.section("control plane")
        for line in config.stash[TIMES]:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cluster_tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says a line to the person at the terminal now, past pytest's capture and from any worker."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def tell(line: str) -> None:
        from tests.cluster.build import tell_terminal

        request.config.stash[TIMES].append(line)
        with capture.global_and_fixture_disabled():
            tell_terminal(line)

    return tell


@pytest.fixture(scope="session")
def control_plane(
    request: pytest.FixtureRequest, cluster_tell: Callable[[str], None]
) -> Iterator[ControlPlane]:
    """The run's control plane: built if it never was, started once, ended with the run."""
    from tests.cluster.control_plane import start_control_plane

    begun_s = time.monotonic()
    with start_control_plane(tell=cluster_tell) as plane:
        parts = ", ".join(f"{name} {seconds:.1f}" for name, seconds in plane.ready_s.items())
        took_s = time.monotonic() - begun_s
        request.config.stash[TIMES].append(f"control plane ready after {took_s:.1f} s ({parts})")
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of this test alone, removed with all that is in it."""
    with _namespace(control_plane, f"test-{next(_numbers)}") as name:
        yield name


@pytest.fixture
def fleet(control_plane: ControlPlane, namespace: str) -> Iterator[Fleet]:
    """Nodes and pods of this test alone; both are gone after it."""
    from tests.cluster.fleet import Fleet

    made = Fleet(control_plane.wire, namespace)
    try:
        yield made
    finally:
        made.remove()


def _is_xfail(report: pytest.TestReport) -> bool:
    return hasattr(report, "wasxfail")


@contextmanager
def _namespace(plane: ControlPlane, name: str) -> Iterator[str]:
    from service_runtime.kube.api import NAMESPACES
    from tests.cluster.waiting import wait_until

    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    plane.wire.create(NAMESPACES, {"metadata": {"name": name}})
    # Pods are refused until the controllers have made their service account. Controllers that lost
    # their API server in the test before start anew and wait for their Lease.
    what = f"service account of {name}"
    wait_until(what, lambda: plane.wire.ask("GET", account), limit_s=CONTROLLERS_LIMIT_S)
    try:
        yield name
    finally:
        # Not waited for: no other test has this name, and its end is the controllers' work.
        plane.wire.delete(NAMESPACES, name)
