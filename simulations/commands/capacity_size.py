"""`synthscale capacity size`: the cheapest set of nodes that holds a workload, beside a bound.

Shell: reads the files and the clock, asks `simulations.capacity.size`, writes what came.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpu_fleet.errors import InputError
from simulations.capacity.market import PriceList, as_offered, node_of
from simulations.capacity.rows import gap_percent, policy_remark, size_row, size_verdict, usage
from simulations.capacity.size import STEPS, Size, Sizing, size
from simulations.commands.capacity_fit import one_policy
from simulations.commands.options import JsonPath, LogPath, PodsFile, ReportPath
from simulations.decision_log import DecisionLog
from simulations.readers import unknown_models
from simulations.readers.demand import read_demand
from simulations.readers.files import read_text
from simulations.readers.offerings import Selection, price_list
from simulations.runs.outputs import (
    document,
    fingerprint,
    table,
)
from simulations.runs.progress import Progress
from simulations.runs.publish import Destinations, publish
from simulations.runs.quiet import foreign_output_dropped
from simulations.workload import Inventory

if TYPE_CHECKING:
    from simulations.report.document import Report
    from simulations.workload import Workload

__all__ = ["Experiment", "command", "run_experiment", "spec_of", "words"]

_LONGEST_SECONDS = 86_400
_MOST_ROWS = 20
"""Offerings that are printed; the JSON has all."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """Everything that `capacity size` was asked for."""

    workload: Workload
    prices: PriceList
    policy: str = "least-loss"
    budget_s: float = 30.0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed and ignored."""
        return (*self.prices.notes, *self.workload.notes)


def command(
    pods: PodsFile,
    offerings: Annotated[
        str, typer.Option(help="Price list: CSV in our columns, or a cloud's table of instances.")
    ],
    region: Annotated[
        str | None, typer.Option(help="The region to buy in, where the price list has several.")
    ] = None,
    only: Annotated[
        str | None, typer.Option(help="Offerings to choose from, by name: 'g5.*,m7i.*'.")
    ] = None,
    policy: Annotated[str, typer.Option(help="The policy that places pods.")] = "least-loss",
    budget_seconds: Annotated[
        float,
        typer.Option("--budget-seconds", help="How long to look for better ways to fill nodes."),
    ] = 30.0,
    json_path: JsonPath = None,
    report: ReportPath = None,
    log: LogPath = None,
) -> None:
    """The cheapest nodes for a workload, beside a bound that no set of nodes can beat."""
    to = Destinations.checked(json_path, report, log)
    patterns = tuple(part.strip() for part in (only or "").split(",") if part.strip())
    prices = price_list(read_text(Path(offerings)), Selection(region, patterns))
    workload = as_offered(read_demand(pods))
    unknown_models(_one_of_each(prices), workload)
    experiment = Experiment(workload, prices, one_policy(policy), _checked_budget(budget_seconds))
    outcome = run_experiment(experiment, Progress("sizing"))
    spec = spec_of(experiment, outcome, pods, offerings)
    spec |= {"region": region, "only": list(patterns)}
    _publish(experiment, outcome, spec, to)


def run_experiment(experiment: Experiment, progress: Progress) -> Size:
    """The answer, within about the budget and what the bound takes."""
    sizing = Sizing(experiment.workload, experiment.prices.offerings, experiment.policy)
    deadline = time.monotonic() + experiment.budget_s
    with progress.over(STEPS) as step, foreign_output_dropped():
        return size(sizing, lambda: time.monotonic() < deadline, step)


def _one_of_each(prices: PriceList) -> Inventory:
    nodes = tuple(node_of(offering, offering.name) for offering in prices.offerings)
    return Inventory(prices.name, nodes, file=prices.file)


def _checked_budget(seconds: float) -> float:
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise InputError(
            f"{seconds:g} is not possible",
            remedy=f"give 0 to {_LONGEST_SECONDS}; 30 is a good start",
            field="--budget-seconds",
        )
    return seconds


# -- output --------------------------------------------------------------------------------------


def spec_of(experiment: Experiment, outcome: Size, pods: str, offerings: str) -> dict[str, object]:
    """Everything that decides the result, as `--json` states it."""
    return {
        "pods": pods,
        "pods_sha256": fingerprint(Path(pods)),
        "offerings": offerings,
        "offerings_sha256": fingerprint(Path(offerings)),
        "policy": experiment.policy,
        "budget_seconds": experiment.budget_s,
        "pods_held": len(experiment.workload.pods),
        "offerings_given": len(experiment.prices.offerings),
        "offerings_looked_at": outcome.looked_at,
        "notes": list(experiment.notes),
    }


def _publish(
    experiment: Experiment, outcome: Size, spec: dict[str, object], to: Destinations
) -> None:
    to.say(words(experiment, outcome))
    content = document("capacity size", spec, [size_row(experiment.policy, outcome)])

    def report() -> Report:
        from simulations.report.capacity import size_report  # noqa: PLC0415 - only when asked

        return size_report(experiment, outcome, content)

    publish(to, content, [("plan", _plan_log(outcome))], report, log_is="plan")


def _plan_log(outcome: Size) -> str:
    """Which pod goes where, as decisions without scores: proof that the set is enough."""
    log = DecisionLog()
    for node in outcome.plan:
        for planned in node.pods:
            log.place(0, planned.pod.name, node.name, planned.devices, 0)
    return log.text()


def words(experiment: Experiment, outcome: Size) -> str:
    """What the command prints for people."""
    used = usage(outcome)
    rows = [
        (
            use.offering.name,
            f"{use.nodes:,}",
            f"{use.offering.cost_per_hour:,.4g}",
            f"{use.cost_per_hour:,.2f}",
            f"{use.pods:,}",
            f"{use.cpu_percent:.0f}",
            f"{use.memory_percent:.0f}",
            "-" if use.gpu_percent is None else f"{use.gpu_percent:.0f}",
        )
        for use in used[:_MOST_ROWS]
    ]
    columns = ("offering", "nodes", "each/h", "all/h", "pods", "CPU %", "memory %", "GPU %")
    given, looked_at = len(experiment.prices.offerings), outcome.looked_at
    headline = (
        f"{experiment.workload.name}: {len(experiment.workload.pods):,} pods, out of {given:,} "
        f"offerings of {experiment.prices.name}"
    )
    cost = (
        f"cost {outcome.cost_per_hour:,.2f} an hour, lower bound "
        f"{outcome.lower_bound_cost_per_hour:,.2f}, gap {gap_percent(outcome):.2f} %"
    )
    lines = [
        headline,
        *(f"  note: {note}" for note in experiment.notes),
        *_about_search(given, looked_at, outcome),
        "",
        table(columns, rows),
        *((f"and {len(used) - _MOST_ROWS} more offerings",) if len(used) > _MOST_ROWS else ()),
        "",
        cost,
        size_verdict(len(experiment.workload.pods), outcome),
        policy_remark(experiment.policy, outcome),
    ]
    return "\n".join(lines)


def _about_search(given: int, looked_at: int, outcome: Size) -> tuple[str, ...]:
    beaten = given - looked_at
    return (
        *((f"  note: {beaten:,} offerings are beaten by others at everything",) if beaten else ()),
        *(
            ("  note: the budget ended the search; a larger --budget-seconds may find less",)
            if not outcome.ended
            else ()
        ),
    )
