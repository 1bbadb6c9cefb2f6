"""Starts a real Prometheus in a household, with the scrapes, rules and history a test wants.

Its clock is the machine's: what needs hours is made as history and asked for by time. It must not
know what is measured, and it leaves nothing behind (`processes` sees to it).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import urllib3

from gpu_fleet.errors import ServiceError
from tests.cluster.build import binaries, tell_terminal
from tests.cluster.control_plane import Part
from tests.cluster.prometheus.program import PROMETHEUS
from tests.cluster.prometheus.promtool import Promtool
from tests.cluster.prometheus.series import read_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.cluster.build import Binaries
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.processes import Household
    from tests.cluster.prometheus.series import Series

__all__ = ["Prometheus", "Scrape", "Settings", "beside", "start_prometheus"]

ANSWER_LIMIT_S = 30.0
READY_LIMIT_S = 60.0
KEPT = "100y"
"""Made history may be of any time; fifteen days is the default."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """One job: which targets are read, and how."""

    job: str
    targets: tuple[str, ...]
    """`host:port` each."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What every series of these targets is given."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of a scrape configuration, such as `scheme`, `tls_config`, `authorization`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What Prometheus does; the paces are for quick tests."""

    scrapes: tuple[Scrape, ...] = ()
    rule_files: tuple[Path, ...] = ()
    scrape_every_s: int = 1
    evaluate_every_s: int = 1


class Prometheus:
    """A Prometheus that runs now."""

    def __init__(self, house: Household, programs: Binaries) -> None:
        self.promtool = Promtool(programs.path("promtool"))
        self.folder = house.folder / "prometheus"
        self.folder.mkdir()
        self.data = self.folder / "data"
        port = house.take_port()
        self.address = f"127.0.0.1:{port}"
        self.url = f"http://{self.address}"
        self._configuration = self.folder / "prometheus.json"
        self._pool = urllib3.PoolManager(timeout=ANSWER_LIMIT_S, retries=False)
        self._write(Settings())
        self.running = house.start(
            "prometheus",
            [
                programs.path("prometheus"),
                f"--config.file={self._configuration}",
                f"--storage.tsdb.path={self.data}",
                f"--storage.tsdb.retention.time={KEPT}",
                f"--web.listen-address={self.address}",
                "--web.enable-lifecycle",
            ],
        )
        self.wait_ready()

    def wait_ready(self) -> None:
        """Return once it answers queries; a `ServiceError` with its log when it does not."""
        Part(self.running, lambda: self._send("GET", "/-/ready")).wait_ready(READY_LIMIT_S)

    def configure(self, settings: Settings) -> None:
        """Do this from now on; a wrong rule or field is a `ServiceError` with promtool's words."""
        self._write(settings)
        self.promtool.check_config(self._configuration)
        self._send("POST", "/-/reload")

    def add_history(self, history: Iterable[Series]) -> None:
        """Make it remember this, over a restart that takes a second; all of it must be past.

        What it scrapes is refused up to the end of the latest history.
        """
        self.running.stop()
        self.promtool.write_blocks(history, self.data)
        self.running.start()
        self.wait_ready()

    def query(self, expression: str, *, at_s: float | None = None) -> list[Series]:
        """What PromQL says of one moment, by default of now; each series has one point."""
        moment = {} if at_s is None else {"time": at_s}
        return read_answer(self.ask("query", {"query": expression, **moment}))

    def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]:
        """What PromQL says of every step from `start_s` to `end_s`, both included."""
        span = {"start": start_s, "end": end_s, "step": step_s}
        return read_answer(self.ask("query_range", {"query": expression, **span}))

    def alerts(self) -> dict[str, str]:
        """The state (`pending`, `firing`) of each alert that is not asleep, by name."""
        alerts = self.ask("alerts")["alerts"]
        return {alert["labels"]["alertname"]: alert["state"] for alert in alerts}

    def ask(self, path: str, parameters: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401  # JSON as it came; callers look at two or three fields
        """The `data` of an answer of `/api/v1/PATH`."""
        return json.loads(self._send("GET", f"/api/v1/{path}", parameters))["data"]

    def close(self) -> None:
        """Close the connections to it."""
        self._pool.clear()

    def _send(
        self, method: str, path: str, parameters: Mapping[str, object] | None = None
    ) -> bytes:
        fields = {key: str(value) for key, value in (parameters or {}).items()}
        try:
            answer = self._pool.request_encode_url(method, self.url + path, fields=fields)
        except urllib3.exceptions.HTTPError as problem:
            raise ServiceError(f"prometheus: {method} {path}: no answer ({problem})") from problem
        if answer.status >= 400:
            told = answer.data.decode(errors="replace")[:1_000]
            raise ServiceError(f"prometheus: {method} {path}: {answer.status}: {told}")
        return answer.data

    def _write(self, settings: Settings) -> None:
        """JSON is YAML, so Prometheus reads it."""
        body = {
            "global": {
                "scrape_interval": f"{settings.scrape_every_s}s",
                "scrape_timeout": f"{settings.scrape_every_s}s",
                "evaluation_interval": f"{settings.evaluate_every_s}s",
            },
            "rule_files": [str(file) for file in settings.rule_files],
            "scrape_configs": [
                {
                    "job_name": scrape.job,
                    "static_configs": [
                        {"targets": list(scrape.targets), "labels": dict(scrape.labels)}
                    ],
                    **scrape.more,
                }
                for scrape in settings.scrapes
            ],
        }
        self._configuration.write_text(json.dumps(body, indent=1), encoding="utf-8")


@contextmanager
def start_prometheus(
    house: Household, *, tell: Callable[[str], None] = tell_terminal
) -> Iterator[Prometheus]:
    """A Prometheus that answers, empty and idle; built if it never was."""
    started = Prometheus(house, binaries(PROMETHEUS, tell))
    try:
        yield started
    finally:
        started.close()
        started.running.kill()


@contextmanager
def beside(plane: ControlPlane, tell: Callable[[str], None]) -> Iterator[Sequence[str]]:
    """For a person: Prometheus, which scrapes the API server as a user that may read metrics."""
    reader = plane.user("prometheus", ["system:monitoring"])
    trust = {
        "ca_file": str(plane.ca),
        "cert_file": str(reader.certificate),
        "key_file": str(reader.key),
    }
    server = plane.server.removeprefix("https://")
    scrape = Scrape("kube-apiserver", (server,), more={"scheme": "https", "tls_config": trust})
    with start_prometheus(plane.house, tell=tell) as prometheus:
        prometheus.configure(Settings((scrape,), scrape_every_s=5))
        promtool = prometheus.promtool.command
        yield (
            f"{promtool} query instant {prometheus.url} up",
            "                                    Prometheus scrapes the API server",
        )
