"""A KubeSchedulerConfiguration becomes a profile, and what the model cannot do is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gpu_fleet.errors import InputError
from simulations.kube.profile import DEFAULT, Allocation, SpreadDefault
from simulations.readers.scheduler_config import profile_of, read_profile

if TYPE_CHECKING:
    from pathlib import Path

    from simulations.kube.profile import Profile

KIND = {
    "apiVersion": "kubescheduler.config.k8s.io/v1",
    "kind": "KubeSchedulerConfiguration",
}


def profile(*profiles: dict[str, Any], **fields: object) -> Profile:
    """The first profile of a configuration."""
    return profile_of({**KIND, **fields, **({"profiles": list(profiles)} if profiles else {})})


def configured(plugin: str, **args: object) -> dict[str, Any]:
    """A profile with arguments for one plugin."""
    return {"pluginConfig": [{"name": plugin, "args": args}]}


def test_an_empty_configuration_is_the_default() -> None:
    """Nothing said is kube-scheduler as it comes."""
    assert profile() == DEFAULT


def test_weights_and_disabled_plugins_are_the_profiles() -> None:
    """First `multiPoint`, then `score`: a plugin that both name has the weight of `score`."""
    plugins = {
        "multiPoint": {"enabled": [{"name": "ImageLocality", "weight": 5}]},
        "score": {
            "disabled": [{"name": "NodeResourcesBalancedAllocation"}],
            "enabled": [{"name": "NodeResourcesFit", "weight": 9}],
        },
        "filter": {"disabled": [{"name": "PodTopologySpread"}]},
    }

    told = profile({"plugins": plugins})

    assert told.weights["ImageLocality"] == 5
    assert told.weights["NodeResourcesFit"] == 9
    assert "NodeResourcesBalancedAllocation" not in told.weights
    assert "PodTopologySpread" in told.weights
    assert "PodTopologySpread" not in told.filters


def test_a_star_disables_all_scores() -> None:
    """`*` and then one: only that one scores."""
    plugins = {"score": {"disabled": [{"name": "*"}], "enabled": [{"name": "ImageLocality"}]}}

    assert profile({"plugins": plugins}).weights == {"ImageLocality": 1}


def test_a_profiles_sampling_beats_the_global_one() -> None:
    """Both are percentages of nodes; parallelism is the scheduler's."""
    told = profile({"percentageOfNodesToScore": 30}, percentageOfNodesToScore=70, parallelism=2)

    assert told.percentage_of_nodes_to_score == 30
    assert told.parallelism == 2


def test_packing_and_its_resources_are_read() -> None:
    """MostAllocated over GPUs and CPU, as its documentation sets it for bin packing."""
    resources = [{"name": "nvidia.com/gpu", "weight": 5}, {"name": "cpu", "weight": 1}]
    strategy = {"type": "MostAllocated", "resources": resources}

    told = profile(configured("NodeResourcesFit", scoringStrategy=strategy))

    assert told.allocation is Allocation.MOST
    assert told.fit_resources == (("nvidia.com/gpu", 5), ("cpu", 1))


def test_an_extenders_resources_take_the_place_of_the_plugins_list() -> None:
    """`ignoredByScheduler` overwrites `ignoredResources`, which holds without it."""
    own = configured("NodeResourcesFit", ignoredResources=["a.com/x"])
    managed = [{"name": "b.com/y", "ignoredByScheduler": True}, {"name": "c.com/z"}]

    told = profile(own, extenders=[{"managedResources": managed}])

    assert told.ignored_resources == {"b.com/y"}
    assert profile(own).ignored_resources == {"a.com/x"}


def test_listed_spread_is_not_the_systems() -> None:
    """Constraints of one's own need the label on every node that is scored."""
    listed = [{"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}]
    args = {"defaultingType": "List", "defaultConstraints": listed}

    told = profile(configured("PodTopologySpread", **args))

    assert told.default_spread == (SpreadDefault("rack", 2, hard=True),)
    assert not told.system_default_spread


def test_affinity_arguments_are_read() -> None:
    """The weight of others' required affinity, and whether their wishes count at all."""
    args = {"hardPodAffinityWeight": 9, "ignorePreferredTermsOfExistingPods": True}

    told = profile(configured("InterPodAffinity", **args))

    assert told.hard_pod_affinity_weight == 9
    assert told.ignore_preferred_terms_of_others


def test_a_profile_is_chosen_by_its_schedulers_name() -> None:
    """Without a name the first; a name that is not there is told with those that are."""
    two = [{"schedulerName": "a"}, {"schedulerName": "b", "percentageOfNodesToScore": 9}]
    told = {**KIND, "profiles": two}

    assert profile_of(told, "b").percentage_of_nodes_to_score == 9
    with pytest.raises(InputError, match="it has a, b"):
        profile_of(told, "c")


@pytest.mark.parametrize(
    ("broken", "field"),
    [
        ({"plugins": {"score": {"enabled": [{"name": "Mine"}]}}}, "plugin Mine"),
        (configured("NodeAffinity", addedAffinity={"x": 1}), "plugin NodeAffinity"),
        (
            configured("NodeResourcesFit", scoringStrategy={"type": "RequestedToCapacityRatio"}),
            "pluginConfig NodeResourcesFit scoringStrategy.type",
        ),
        ({"percentageOfNodesToScore": 101}, "profiles"),
    ],
)
def test_what_would_change_scores_unmodelled_is_refused(broken: dict[str, Any], field: str) -> None:
    """A plugin or an argument that the model does not know is named, not passed over."""
    with pytest.raises(InputError) as told:
        profile(broken)

    assert told.value.field is not None
    assert field in told.value.field


@pytest.mark.parametrize("text", ["a: [", "kind: Pod", "- 1"])
def test_a_file_that_is_no_configuration_is_one_line(tmp_path: Path, text: str) -> None:
    """Broken YAML and other kinds are told with the file's name."""
    path = tmp_path / "scheduler.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InputError) as told:
        read_profile(path)

    assert told.value.file == str(path)
