"""Rules about which calls are made, with what in them, and what happens when one fails.

Verbs are plain text that Kubernetes pastes behind the address, so a typing error is found by the
first pod. These rules must not judge what an extender answers.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scheduler_extender.scheduler_config.finding import Rule, Severity, Trap
from scheduler_extender.scheduler_config.rules.places import extenders, guarded, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler_extender.scheduler_config.finding import Subject

__all__ = ["RULES"]

_VERB = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~/-]*")
_USUAL = {
    "filterVerb": "filter",
    "prioritizeVerb": "prioritize",
    "preemptVerb": "preempt",
    "bindVerb": "bind",
}
_OURS = "synthscale-extender"
_SERVED = frozenset({"filterVerb", "prioritizeVerb"})


def verb_spelling(subject: Subject) -> Iterator[Trap]:
    """Verbs that are no path, or nearly the usual word."""
    for where, extender in extenders(subject):
        for field, verb in extender.verbs.items():
            if _is_misspelt(field, verb):
                line = f"{field}: {_USUAL[field]}"
                yield Trap(f"{where}.{field}", line, f"{verb!r} is what is called.")


def _is_misspelt(field: str, verb: str) -> bool:
    usual = _USUAL[field]
    near = get_close_matches(verb.lower(), [usual], n=1, cutoff=0.75)
    return _VERB.fullmatch(verb) is None or (bool(near) and verb != usual)


def verb_not_served(subject: Subject) -> Iterator[Trap]:
    """Calls to our service that it does not answer."""
    for where, extender in extenders(subject):
        if _host(extender.url_prefix).partition(".")[0] != _OURS:
            continue
        for field, verb in extender.verbs.items():
            if field not in _SERVED:
                yield Trap(f"{where}.{field}", f"# no {field}", f"{_OURS} has no {verb}.")
            elif verb != _USUAL[field] and not _is_misspelt(field, verb):
                yield Trap(f"{where}.{field}", f"{field}: {_USUAL[field]}")


def does_nothing(subject: Subject) -> Iterator[Trap]:
    """An entry without a single verb."""
    for where, extender in extenders(subject):
        if not extender.verbs:
            yield Trap(where, "filterVerb: filter\nprioritizeVerb: prioritize\nweight: 121")


def sends_whole_nodes(subject: Subject) -> Iterator[Trap]:
    """An extender that is sent nodes, not their names."""
    for where, extender in extenders(subject):
        if not extender.node_cache_capable:
            yield Trap(f"{where}.nodeCacheCapable", "nodeCacheCapable: true")


def several_binders(subject: Subject) -> Iterator[Trap]:
    """More than one extender that binds."""
    binders = [where for where, extender in extenders(subject) if extender.bind_verb]
    for where in binders[1:]:
        yield Trap(f"{where}.bindVerb", "# no bindVerb", f"{binders[0]} binds already.")


def binder_ignorable(subject: Subject) -> Iterator[Trap]:
    """A binder that may be passed over."""
    for where, extender in extenders(subject):
        if extender.bind_verb and extender.ignorable:
            yield Trap(f"{where}.ignorable", "ignorable: false")


def guard_ignorable(subject: Subject) -> Iterator[Trap]:
    """Parts of GPUs whose accountant may be passed over."""
    for where, extender in extenders(subject):
        if (names := guarded(extender)) and extender.filter_verb and extender.ignorable:
            yield Trap(f"{where}.ignorable", "ignorable: false", f"It guards {_listed(names)}.")


def guard_without_filter(subject: Subject) -> Iterator[Trap]:
    """Parts of GPUs that nobody refuses."""
    for where, extender in extenders(subject):
        if (names := guarded(extender)) and not extender.filter_verb:
            detail = f"It manages {_listed(names)}."
            yield Trap(f"{where}.filterVerb", "filterVerb: filter", detail)


def scorer_not_ignorable(subject: Subject) -> Iterator[Trap]:
    """Whole GPUs, or all pods, that wait for an extender which only ranks them."""
    for where, extender in extenders(subject):
        if extender.ignorable or not extender.verbs:
            continue
        if not extender.managed_resources:
            detail = "Without managedResources every pod of the cluster is sent to it."
        elif names := whole(extender):
            detail = f"It manages {_listed(names)}."
        else:
            continue
        line = "ignorable: true"
        if guarded(extender):
            line = "# parts of GPUs stay here; whole ones get an entry of their own:\n" + line
        yield Trap(f"{where}.ignorable", line, detail)


def asked_twice(subject: Subject) -> Iterator[Trap]:
    """Two entries for one address."""
    seen: dict[str, str] = {}
    for where, extender in extenders(subject):
        address = extender.url_prefix.rstrip("/")
        if address in seen and set(extender.verbs) & {"filterVerb", "prioritizeVerb"}:
            detail = f"{seen[address]} has the same."
            yield Trap(f"{where}.urlPrefix", "# one entry, or a prefix for each", detail)
        seen.setdefault(address, where)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


RULES = (
    Rule(
        "verb-spelling",
        Severity.ERROR,
        "A verb that is not the extender's",
        "Verbs are pasted behind urlPrefix and never checked; a wrong one is a 404 for each pod, "
        "which prioritize does not even log.",
        verb_spelling,
    ),
    Rule(
        "verb-not-served",
        Severity.ERROR,
        "A call that synthscale does not answer",
        "It serves filter and prioritize; kube-scheduler binds, and victims are found in-tree.",
        verb_not_served,
    ),
    Rule(
        "does-nothing",
        Severity.WARNING,
        "An extender without verbs",
        "An absent verb is a call that is never made, so this entry has no effect.",
        does_nothing,
    ),
    Rule(
        "sends-whole-nodes",
        Severity.ERROR,
        "Whole nodes instead of names",
        "Without nodeCacheCapable, 1.37 rebuilds the nodes from the extender's answer without "
        "their pods, so that in-tree scores see empty nodes; and a call carries megabytes.",
        sends_whole_nodes,
    ),
    Rule(
        "several-binders",
        Severity.ERROR,
        "More than one extender that binds",
        "Only one extender may have a bindVerb; kube-scheduler does not start with two.",
        several_binders,
    ),
    Rule(
        "binder-ignorable",
        Severity.ERROR,
        "A binder that is passed over when it fails",
        "After a time-out kube-scheduler binds the pod itself while the extender's bind may still "
        "be on its way: both bind, perhaps to two nodes.",
        binder_ignorable,
    ),
    Rule(
        "guard-ignorable",
        Severity.ERROR,
        "A guard that is passed over when it fails",
        "kube-scheduler cannot tell which device a part of a GPU comes from; when the guard is "
        "away the same part is given out twice.",
        guard_ignorable,
    ),
    Rule(
        "guard-without-filter",
        Severity.ERROR,
        "A guard that refuses nothing",
        "A score is advice: without a filter a full node still takes the pod.",
        guard_without_filter,
    ),
    Rule(
        "scorer-not-ignorable",
        Severity.WARNING,
        "Pods that wait for advice",
        "kube-scheduler counts whole devices by itself, so pods could go on without the ranking "
        "while the extender is away; so they wait.",
        scorer_not_ignorable,
    ),
    Rule(
        "asked-twice",
        Severity.WARNING,
        "One address in two entries",
        "A pod that both entries match is sent there twice, and its scores are added up.",
        asked_twice,
    ),
)
