"""Rules about who decides: the extender's score against all in-tree scores, and sampling.

The numbers are worked out for each profile as it stands, since weights, disabled plugins and
multiPoint change what an extender is up against. These rules must not tell anybody what to
prefer, only whether what the file prefers can happen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scheduler_extender.scheduler_config.finding import Rule, Severity, Trap
from scheduler_extender.scheduler_config.rules.places import extenders
from scheduler_extender.scheduler_config.scores import (
    EXTENDER_STEPS,
    nodes_looked_at,
    score_weights,
    weight_to_decide,
    weight_to_outweigh,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scheduler_extender.scheduler_config.document import Extender, Profile
    from scheduler_extender.scheduler_config.finding import Subject

__all__ = ["RULES"]

_FIT = "NodeResourcesFit"
_LEAST_ALLOCATED = "LeastAllocated"
_COMPLETE_UP_TO_NODES = 1500
"""Below this, looking at every node costs less than what a node unseen costs in GPUs."""
_POINTS = 100
_STEP_POINTS = _POINTS // EXTENDER_STEPS


def no_weight(subject: Subject) -> Iterator[Trap]:
    """A ranking that is multiplied by nothing."""
    for where, extender in extenders(subject):
        if extender.prioritize_verb and extender.weight <= 0:
            most = max(
                (_rivals(subject, extender, profile)[0] for _, profile in _profiles(subject)),
                default=0,
            )
            yield Trap(f"{where}.weight", f"weight: {weight_to_outweigh(most)}")


def weight_without_verb(subject: Subject) -> Iterator[Trap]:
    """A weight that multiplies nothing."""
    for where, extender in extenders(subject):
        if extender.weight and not extender.prioritize_verb:
            yield Trap(f"{where}.prioritizeVerb", "prioritizeVerb: prioritize")


def never_decides(subject: Subject) -> Iterator[Trap]:
    """A weight at which in-tree scores can turn the extender's best into its worst."""
    for where, extender in _scorers(subject):
        for place, profile in _profiles(subject):
            rivals, text = _rivals(subject, extender, profile)
            if extender.weight < weight_to_decide(rivals):
                yield _weight_trap(where, extender, place, rivals, text)


def step_outweighed(subject: Subject) -> Iterator[Trap]:
    """A weight at which in-tree scores can undo one rank of the extender's."""
    for where, extender in _scorers(subject):
        for place, profile in _profiles(subject):
            rivals, text = _rivals(subject, extender, profile)
            if weight_to_decide(rivals) <= extender.weight < weight_to_outweigh(rivals):
                yield _weight_trap(where, extender, place, rivals, text)


def spreads_against_packing(subject: Subject) -> Iterator[Trap]:
    """LeastAllocated beside an extender that ranks."""
    if not list(_scorers(subject)):
        return
    for place, profile in _profiles(subject):
        strategy = profile.arguments(_FIT).get("scoringStrategy")
        kind = strategy.get("type") if isinstance(strategy, dict) else None
        if _FIT in score_weights(profile) and kind in {None, "", _LEAST_ALLOCATED}:
            lines = (
                f"pluginConfig:\n- name: {_FIT}\n  args:\n    scoringStrategy:\n"
                "      type: MostAllocated\n# or, in plugins:\nscore:\n  disabled:\n"
                f"  - name: {_FIT}\n  - name: NodeResourcesBalancedAllocation"
            )
            yield Trap(f"{place}.pluginConfig", lines)


def samples_nodes(subject: Subject) -> Iterator[Trap]:
    """A scheduler that stops looking before it has seen every node."""
    if not subject.config.extenders:
        return
    for place, profile in _profiles(subject):
        own = profile.percentage_of_nodes_to_score
        percent = (subject.config.percentage_of_nodes_to_score or 0) if own is None else own
        if percent >= _POINTS:
            continue
        detail, wanted = _sampled(percent, subject.nodes)
        if wanted:
            where = f"{place}.percentageOfNodesToScore"
            yield Trap(where, f"percentageOfNodesToScore: {wanted}", detail)


def _sampled(percent: int, nodes: int | None) -> tuple[str, int]:
    """What a percentage means, and the one to write; 0 where it is fine."""
    how = f"{percent} %" if percent else "the default"
    if nodes is None:
        means = ", ".join(f"{nodes_looked_at(n, percent):,} of {n:,}" for n in (500, 1_000, 5_000))
        return f"With {how} it stops after {means} feasible nodes (--nodes N tells yours).", 100
    seen = nodes_looked_at(nodes, percent)
    if seen >= min(nodes, _COMPLETE_UP_TO_NODES):
        return "", 0
    detail = f"With {how} it stops after {seen:,} feasible nodes of {nodes:,}."
    return detail, min(_POINTS, -(-_POINTS * _COMPLETE_UP_TO_NODES // nodes))


def _scorers(subject: Subject) -> Iterator[tuple[str, Extender]]:
    for where, extender in extenders(subject):
        if extender.prioritize_verb and extender.weight > 0:
            yield where, extender


def _profiles(subject: Subject) -> Iterator[tuple[str, Profile]]:
    for at, profile in enumerate(subject.config.effective_profiles):
        yield f"profiles[{at}]", profile


def _rivals(subject: Subject, extender: Extender, profile: Profile) -> tuple[int, str]:
    """The weights against this extender in a profile: their sum, and how it comes about."""
    weights: Mapping[str, int] = score_weights(profile) | {
        other.url_prefix: other.weight for _, other in _scorers(subject) if _meet(extender, other)
    }
    return sum(weights.values()), ", ".join(f"{name} {w}" for name, w in weights.items())


def _meet(extender: Extender, other: Extender) -> bool:
    """Whether two extenders, not two entries of one, are asked about the same pods as a rule."""
    for_all = not extender.managed_resources or not other.managed_resources
    return for_all and _host(extender) != _host(other)


def _host(extender: Extender) -> str:
    try:
        return urlsplit(extender.url_prefix).netloc
    except ValueError:
        return extender.url_prefix


def _weight_trap(where: str, extender: Extender, place: str, rivals: int, text: str) -> Trap:
    outweighs = weight_to_outweigh(rivals)
    detail = (
        f"In {place} the others give up to {rivals * _POINTS:,} points ({text}); at weight "
        f"{extender.weight} one rank of this extender is worth {_STEP_POINTS * extender.weight:,} "
        f"and its whole range {_POINTS * extender.weight:,}. Its best beats its worst from weight "
        f"{weight_to_decide(rivals)} on, one rank outweighs all others from {outweighs} on."
    )
    return Trap(f"{where}.weight", f"weight: {outweighs}", detail)


RULES = (
    Rule(
        "no-weight",
        Severity.ERROR,
        "prioritizeVerb without a weight",
        "kube-scheduler does not start unless the weight is above 0.",
        no_weight,
    ),
    Rule(
        "weight-without-verb",
        Severity.WARNING,
        "A weight without prioritizeVerb",
        "Nothing is asked for, so the weight multiplies nothing.",
        weight_without_verb,
    ),
    Rule(
        "never-decides",
        Severity.ERROR,
        "A weight that decides nothing",
        "In-tree scores may choose the very node that the extender puts last.",
        never_decides,
    ),
    Rule(
        "step-outweighed",
        Severity.WARNING,
        "A weight that keeps the order only roughly",
        "In-tree scores may undo the extender's order among its better nodes, and its best among "
        "them.",
        step_outweighed,
    ),
    Rule(
        "spreads-against-packing",
        Severity.WARNING,
        "LeastAllocated against packing",
        "NodeResourcesFit prefers the emptiest node unless told otherwise; pods that the extender "
        "is not asked about are spread over GPU nodes and strand their devices.",
        spreads_against_packing,
    ),
    Rule(
        "samples-nodes",
        Severity.WARNING,
        "Nodes that nobody looks at",
        "The best node is chosen among those kube-scheduler happens to look at, and a guarded pod "
        "is refused although an unseen node has room.",
        samples_nodes,
    ),
)
