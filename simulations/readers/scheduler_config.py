"""A KubeSchedulerConfiguration as a profile of the scheduler's model.

Weights, disabled plugins, sampling, parallelism and the arguments that change scores are read;
what the model does not know (other plugins, RequestedToCapacityRatio, added affinities) is refused
where it would change scores. This module must not decide anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
import yaml

from gpu_fleet.errors import InputError
from simulations.kube.profile import (
    DEFAULT,
    DEFAULT_WEIGHTS,
    FILTERS,
    Allocation,
    Profile,
    SpreadDefault,
)
from simulations.readers.files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["profile_of", "read_profile"]

_API = "kubescheduler.config.k8s.io/v1"
_EVERY = "*"
T = TypeVar("T")


class _Object(msgspec.Struct, frozen=True, rename="camel"):
    """Camel case outside, snake case inside; unknown fields are no error."""


class _Plugin(_Object, frozen=True):
    name: str
    weight: int | None = None


class _PluginSet(_Object, frozen=True):
    enabled: list[_Plugin] | None = None
    disabled: list[_Plugin] | None = None


class _Plugins(_Object, frozen=True):
    multi_point: _PluginSet = _PluginSet()
    score: _PluginSet = _PluginSet()
    filter: _PluginSet = _PluginSet()


class _PluginConfig(_Object, frozen=True):
    name: str
    args: dict[str, Any] | None = None


class _Profile(_Object, frozen=True):
    scheduler_name: str = "default-scheduler"
    percentage_of_nodes_to_score: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    plugins: _Plugins = _Plugins()
    plugin_config: list[_PluginConfig] | None = None


class _Managed(_Object, frozen=True):
    name: str
    ignored_by_scheduler: bool = False


class _Extender(_Object, frozen=True):
    managed_resources: list[_Managed] | None = None


class _Configuration(_Object, frozen=True):
    api_version: str = ""
    kind: str = ""
    parallelism: Annotated[int, msgspec.Meta(ge=1)] = 16
    percentage_of_nodes_to_score: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    profiles: list[_Profile] | None = None
    extenders: list[_Extender] | None = None


class _Resource(_Object, frozen=True):
    name: str
    weight: int = 1


class _Strategy(_Object, frozen=True):
    type: Literal["LeastAllocated", "MostAllocated"] = "LeastAllocated"
    resources: list[_Resource] | None = None


class _Fit(_Object, frozen=True):
    scoring_strategy: _Strategy = _Strategy()
    ignored_resources: list[str] | None = None


class _Balanced(_Object, frozen=True):
    resources: list[_Resource] | None = None


class _Affinity(_Object, frozen=True):
    hard_pod_affinity_weight: Annotated[int, msgspec.Meta(ge=0, le=100)] = 1
    ignore_preferred_terms_of_existing_pods: bool = False


class _Spread(_Object, frozen=True):
    topology_key: str
    max_skew: int
    when_unsatisfiable: Literal["DoNotSchedule", "ScheduleAnyway"]


class _SpreadArgs(_Object, frozen=True):
    defaulting_type: Literal["System", "List"] = "System"
    default_constraints: list[_Spread] | None = None


class _NodeAffinityArgs(_Object, frozen=True):
    added_affinity: dict[str, Any] | None = None


def read_profile(path: Path, scheduler: str | None = None) -> Profile:
    """The profile in a file, YAML or JSON; raises `InputError`."""
    source = read_text(path)
    try:
        return profile_of(yaml.safe_load(source.text), scheduler)
    except yaml.YAMLError as error:
        raise InputError(
            f"is not YAML ({str(error).splitlines()[0]})",
            remedy=f"give a {_API} KubeSchedulerConfiguration",
            file=source.file,
        ) from None
    except InputError as error:
        raise error.within(source.file) from None


def profile_of(configuration: object, scheduler: str | None = None) -> Profile:
    """One profile of a configuration: by its scheduler's name, or the first."""
    told = _convert(configuration, _Configuration, "")
    if (told.api_version, told.kind) != (_API, "KubeSchedulerConfiguration"):
        raise InputError(
            f"is {told.api_version or 'nothing'} {told.kind}".strip(),
            remedy=f"give a {_API} KubeSchedulerConfiguration",
            field="kind",
        )
    profiles = told.profiles or [_Profile()]
    chosen = next((p for p in profiles if scheduler in (None, p.scheduler_name)), None)
    if chosen is None:
        raise InputError(
            f"no profile is called {scheduler}",
            remedy=f"it has {', '.join(each.scheduler_name for each in profiles)}",
            field="profiles",
        )
    return _profile(told, chosen)


def _profile(told: _Configuration, chosen: _Profile) -> Profile:
    args = {each.name: each.args or {} for each in chosen.plugin_config or ()}
    fit = _args(args, "NodeResourcesFit", _Fit)
    affinity = _args(args, "InterPodAffinity", _Affinity)
    spread = _args(args, "PodTopologySpread", _SpreadArgs)
    balanced = _args(args, "NodeResourcesBalancedAllocation", _Balanced).resources
    if _args(args, "NodeAffinity", _NodeAffinityArgs).added_affinity:
        raise _not_modelled("NodeAffinity", "addedAffinity")
    percentage = chosen.percentage_of_nodes_to_score
    resources = fit.scoring_strategy.resources
    return Profile(
        weights=_weights(chosen.plugins),
        filters=_filters(chosen.plugins),
        percentage_of_nodes_to_score=(
            told.percentage_of_nodes_to_score if percentage is None else percentage
        ),
        parallelism=told.parallelism,
        allocation=Allocation(fit.scoring_strategy.type),
        fit_resources=DEFAULT.fit_resources
        if resources is None
        else tuple((each.name, each.weight) for each in resources),
        balanced_resources=DEFAULT.balanced_resources
        if balanced is None
        else tuple(each.name for each in balanced),
        ignored_resources=_ignored(told, fit),
        default_spread=DEFAULT.default_spread
        if spread.defaulting_type == "System"
        else tuple(
            SpreadDefault(each.topology_key, each.max_skew, each.when_unsatisfiable[0] == "D")
            for each in spread.default_constraints or ()
        ),
        system_default_spread=spread.defaulting_type == "System",
        hard_pod_affinity_weight=affinity.hard_pod_affinity_weight,
        ignore_preferred_terms_of_others=affinity.ignore_preferred_terms_of_existing_pods,
    )


def _ignored(told: _Configuration, fit: _Fit) -> frozenset[str]:
    """An extender's `ignoredByScheduler` takes the place of the plugin's own list."""
    managed = [each for one in told.extenders or () for each in one.managed_resources or ()]
    by_extenders = frozenset(each.name for each in managed if each.ignored_by_scheduler)
    return by_extenders or frozenset(fit.ignored_resources or ())


def _weights(plugins: _Plugins) -> Mapping[str, int]:
    """Scores of the profile: multiPoint changes all extension points, `score` has the last word."""
    weights = dict(DEFAULT_WEIGHTS)
    for changes in (plugins.multi_point, plugins.score):
        for each in changes.disabled or ():
            for name in [*weights] if each.name == _EVERY else [each.name]:
                weights.pop(name, None)
        for each in changes.enabled or ():
            if each.name in DEFAULT_WEIGHTS:
                weights[each.name] = each.weight or 1
            elif changes is plugins.score:
                raise _not_modelled(each.name, "it")
    return {name: weights[name] for name in DEFAULT_WEIGHTS if name in weights}


def _filters(plugins: _Plugins) -> frozenset[str]:
    filters = set(FILTERS)
    for changes in (plugins.multi_point, plugins.filter):
        for each in changes.disabled or ():
            filters -= set(FILTERS) if each.name == _EVERY else {each.name}
        filters |= {each.name for each in changes.enabled or ()} & set(FILTERS)
    return frozenset(filters)


def _args(args: Mapping[str, Mapping[str, Any]], name: str, shape: type[T]) -> T:
    return _convert(dict(args.get(name, {})), shape, f"pluginConfig {name}")


def _convert(content: object, shape: type[T], field: str) -> T:
    try:
        return msgspec.convert(content, type=shape)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `$")
        raise InputError(
            problem.replace("`", ""),
            remedy="look at the field in the kube-scheduler configuration reference",
            field=f"{field} {where.strip('.`')}".strip() or None,
        ) from None


def _not_modelled(plugin: str, what: str) -> InputError:
    return InputError(
        f"{what} changes scores and is not modelled",
        remedy="take it out of the copy that you simulate",
        field=f"plugin {plugin}",
    )
