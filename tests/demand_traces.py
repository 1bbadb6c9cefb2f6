"""The shared load series as a planner would read them, and GPU demand made from job lists.

They lie beside the checkout on some machines only; what needs one skips where it is absent. This
module must not choose a series by how well it can be forecast: all of them are here.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from autoscaler.history.assembly import series_of
from autoscaler.history.samples import Samples
from autoscaler.history.settings import HistorySettings, Kind
from autoscaler.sources.columns import Columns
from autoscaler.sources.files import read_series_file
from gpu_fleet.clock import DAY_S, NS_PER_S
from gpu_fleet.series import Level, Series
from tests.traces import trace_file

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["AGGREGATED_GPU_DEMAND", "DEMAND", "demand"]

STEP_S = 600


@dataclass(frozen=True, slots=True)
class File:
    """One column of a file of load/; `series` picks one of a long file, `total` adds them up."""

    name: str
    value: str
    kind: Kind = Kind.GAUGE
    level: Level = Level.CLUSTER
    series: str = ""

    def read(self) -> Series:
        """The series in steps of ten minutes, or longer where the file's own are."""
        columns = Columns(
            values=(self.value,),
            series="vc" if self.series else "",
            only_total=self.series == "total",
        )
        found = read_series_file(trace_file(f"load/{self.name}.csv.gz"), columns)
        one = found[0] if len(found) == 1 else _named(found, self.series)
        return series_of(one, HistorySettings(self.kind, STEP_S, self.level))


@dataclass(frozen=True, slots=True)
class Jobs:
    """GPUs in use at each moment, from a list of jobs or instances that begin and end."""

    name: str
    begin: str
    end: str
    """The column of the end, or of the duration where it ends in `duration_s`."""
    gpus: str
    days: int

    def read(self) -> Series:
        """GPUs in use in steps of ten minutes, at the beginning of each."""
        with gzip.open(trace_file(f"{self.name}.csv.gz"), "rt", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        begins = np.array([float(row[self.begin] or -1.0) for row in rows])
        ends = np.array([float(row[self.end] or np.inf) for row in rows])
        if self.end == "duration_s":
            ends += begins
        gpus = np.array([float(row[self.gpus] or 0.0) for row in rows])
        moments = np.arange(0, self.days * DAY_S, STEP_S)
        values = _begun(begins, gpus, moments) - _begun(ends, gpus, moments)
        samples = Samples(self.name, moments.astype(np.int64) * NS_PER_S, values, "GPUs")
        return series_of(samples, HistorySettings(Kind.GAUGE, STEP_S, Level.CLUSTER))


def _begun(
    times: np.ndarray[tuple[int], np.dtype[np.float64]],
    gpus: np.ndarray[tuple[int], np.dtype[np.float64]],
    moments: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    order = np.argsort(times, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(gpus[order])])
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = sums[
        np.searchsorted(times[order], moments, side="right")
    ]
    return found


def _named(found: Sequence[Samples], name: str) -> Samples:
    return next(one for one in found if one.name.rpartition(":")[2] == name)


VIRTUAL_CLUSTERS = ("vc3sl", "vc8Sj", "vcJkd", "vcMod", "vcTJs", "vcdI0", "vchbv", "vcpDC")
ALIBABA = ("cpu_util_percent", "mem_util_percent", "net_in", "net_out", "disk_io_percent")

DEMAND: Mapping[str, File | Jobs] = {
    **{f"alibaba2018-{column}": File("alibaba2018_cluster_5min", column) for column in ALIBABA},
    "azure-vm-cpu": File("azure_vm_2019_5min", "cpu_usage"),
    "azure-vm-memory": File("azure_vm_2019_5min", "assigned_mem"),
    "genai-qps": File("genai_qps_57s", "qps_sum", Kind.RATE, Level.WORKLOAD),
    **{
        f"helios-{vc}": File("helios_earth_vc_5min", "running_gpu_num", level=Level.POOL, series=vc)
        for vc in VIRTUAL_CLUSTERS
    },
    "helios-total": File("helios_earth_vc_5min", "running_gpu_num", series="total"),
    "nasa-http": File("nasa_http_1min", "requests", Kind.COUNT, Level.WORKLOAD),
    "nyc-taxi": File("nyc_taxi_30min", "passengers", Kind.COUNT, Level.WORKLOAD),
    "philly-active-nodes": File("philly_active_nodes_1min", "active_nodes"),
    "philly-submissions": File("philly_submissions_hourly", "jobs", Kind.COUNT),
    "servegen-deepseek-r1": File(
        "servegen_deepseek-r1_10min", "rate_rps", Kind.RATE, Level.WORKLOAD
    ),
    "servegen-m-large": File("servegen_m-large_10min", "rate_rps", Kind.RATE, Level.WORKLOAD),
    "servegen-m-small": File("servegen_m-small_10min", "rate_rps", Kind.RATE, Level.WORKLOAD),
    "worldcup98": File("worldcup98_1min", "requests", Kind.COUNT, Level.WORKLOAD),
    "philly-gpus": Jobs("jobs/philly_jobs", "submit_s", "duration_s", "gpus", 43),
    "dlrm-gpus": Jobs(
        "autoscale/dlrm_2025_instances", "creation_time", "deletion_time", "gpu_request", 31
    ),
}
"""Every shared series of demand, by a name of ours."""

AGGREGATED_GPU_DEMAND = ("philly-gpus", "dlrm-gpus", "helios-total")
"""GPU demand of whole clusters, which 90 % accuracy is promised for."""


@cache
def demand(name: str) -> Series:
    """One of `DEMAND`; skips the test where the trace is absent."""
    return DEMAND[name].read()
