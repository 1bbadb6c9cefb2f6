"""Parts of a GPU by HAMi, gpushare and our own resources, on nodes and on pods."""

from __future__ import annotations

import json

import msgspec
import pytest

from gpu_fleet.errors import InputError
from gpu_fleet.pods import PodShape
from scheduler_extender.objects.devices import resolve, told_devices
from scheduler_extender.objects.nodes import ObservedNode, observed_node
from scheduler_extender.objects.observed import ObservedPod, PodReader, Unclear
from scheduler_extender.objects.wire import NodeObject, PodObject
from tests.scheduler_extender.calls import pod_object

TWO = json.dumps(
    [
        {"id": "GPU-a", "count": 10, "devmem": 32_768, "devcore": 100, "type": "V100",
         "health": True},
        {"id": "GPU-b", "index": 1, "count": 10, "devmem": 16_384, "devcore": 100},
    ]
)  # fmt: skip
OLD = "GPU-a,10,32768,100,V100,0,true:GPU-b,10,16384,100,V100,0,false:"


def node(
    amounts: dict[str, str], *, annotations: dict[str, str] | None = None, **labels: str
) -> ObservedNode:
    """A node that offers these amounts; labels have their dots and slashes as words."""
    raw = {
        "metadata": {"name": "n", "annotations": annotations, "labels": labels},
        "status": {"allocatable": {"cpu": "64", "memory": "256Gi", **amounts}},
    }
    return observed_node(msgspec.json.decode(json.dumps(raw), type=NodeObject))


def pod(amounts: dict[str, str], **rest: dict[str, str]) -> ObservedPod:
    """A pod that asks for these amounts."""
    raw = json.dumps(pod_object("p", amounts, **rest))
    return PodReader().read(msgspec.json.decode(raw, type=PodObject))


@pytest.mark.parametrize("text", [TWO, OLD])
def test_hami_tells_how_many_gpus_there_really_are(text: str) -> None:
    """Ten times as many are allocatable, and one of them is sick."""
    seen = node({"nvidia.com/gpu": "20"}, annotations={"hami.io/node-nvidia-register": text})

    assert [(device.memory_mib, device.healthy) for device in seen.node.devices] == [
        (32_768, True),
        (16_384, False),
    ]
    assert (
        seen.node.gpu_model, seen.device_ids, seen.counted,
    ) == ("V100", ("GPU-a", "GPU-b"), None)  # fmt: skip


@pytest.mark.parametrize("text", ["[", "[1]", '[{"id":1}]', "a,b:", '[{"id":"a","devmem":-1}]'])
def test_a_registration_that_makes_no_sense_is_an_error(text: str) -> None:
    """The node cannot be read; nothing is guessed."""
    with pytest.raises(InputError, match="node-nvidia-register"):
        node({}, annotations={"hami.io/node-nvidia-register": text})


def test_gpushare_and_our_own_resources_tell_devices_and_their_memory() -> None:
    """Two devices of 16 GiB each."""
    theirs = node({"aliyun.com/gpu-count": "2", "aliyun.com/gpu-mem": "32"})
    ours = node({"synthscale.io/gpu-milli": "2000", "synthscale.io/gpu-memory-mib": "32768"})

    assert [device.memory_mib for device in theirs.node.devices] == [16_384, 16_384]
    assert theirs.node.devices == ours.node.devices


def test_replicas_beyond_the_widest_node_are_counted_as_the_scheduler_counts_them() -> None:
    """8 GPUs, each shared by 4: 32 are counted, 16 are shown."""
    seen = node({"nvidia.com/gpu": "32"})

    assert (seen.counted, len(seen.node.devices)) == (32, 16)


@pytest.mark.parametrize(
    ("amounts", "devices", "milli", "memory"),
    [
        ({"nvidia.com/gpu": "2"}, 2, 1_000, 0),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpumem": "3000"}, 1, 1, 3_000),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpucores": "30"}, 1, 300, 0),
        ({"nvidia.com/gpu": "1", "nvidia.com/gpumem-percentage": "25"}, 1, 250, 0),
        ({"aliyun.com/gpu-mem": "3"}, 1, 1, 3_072),
        ({"synthscale.io/gpu-milli": "300"}, 1, 300, 0),
        ({"synthscale.io/gpu-milli": "2000", "synthscale.io/gpu-memory-mib": "9"}, 2, 1_000, 9),
        ({"synthscale.io/gpu-memory-mib": "9"}, 1, 1, 9),
    ],
)
def test_a_pod_asks_for_devices_parts_and_memory(
    amounts: dict[str, str], devices: int, milli: int, memory: int
) -> None:
    """Each currency becomes devices, thousandths and MiB of each."""
    assert PodShape(0, 0, devices, milli, memory) == pod(amounts).shape


@pytest.mark.parametrize(
    "amounts",
    [
        {"synthscale.io/gpu-milli": "1500"},
        {"synthscale.io/gpu-milli": "300", "nvidia.com/gpu": "1"},
        {"nvidia.com/gpu": "99"},
        {"nvidia.com/gpu": "half"},
    ],
)
def test_a_request_that_makes_no_sense_is_a_value_with_a_reason(amounts: dict[str, str]) -> None:
    """The reader never raises."""
    seen = pod(amounts)

    assert Unclear.UNREADABLE is seen.shape
    assert "Pod ml/p" in seen.problem


@pytest.mark.parametrize(
    ("annotations", "devices"),
    [
        ({"ALIYUN_COM_GPU_MEM_IDX": "1"}, (1,)),
        ({"alibabacloud.com/gpu-index": "0-2"}, (0, 2)),
        ({"synthscale.io/gpu-index": "1-0"}, (0, 1)),
        ({"hami.io/vgpu-devices-allocated": "GPU-b,NVIDIA,3000,30:;"}, (1,)),
        ({"hami.io/vgpu-devices-allocated": "GPU-b,NVIDIA,1,0:;GPU-a,NVIDIA,1,0:;"}, (0, 1)),
        ({"hami.io/vgpu-devices-allocated": "GPU-x,NVIDIA,3000,30:;"}, None),
        ({"hami.io/vgpu-devices-allocated": ";;"}, None),
        ({"ALIYUN_COM_GPU_MEM_IDX": "-1"}, None),
        ({"synthscale.io/gpu-index": "1-1"}, None),
        ({"synthscale.io/gpu-index": "77"}, None),
        ({}, None),
    ],
)
def test_told_devices_are_believed_only_where_they_make_sense(
    annotations: dict[str, str], devices: tuple[int, ...] | None
) -> None:
    """As many different devices as were asked for, all of them known."""
    wanted = len(devices) if devices else 1

    assert devices == resolve(told_devices(annotations), wanted, ("GPU-a", "GPU-b"))


def test_pods_of_one_template_share_one_shape() -> None:
    """The second comes from memory: the same object."""
    reader = PodReader()
    first, second = (
        reader.read(
            msgspec.json.decode(
                json.dumps(pod_object(name, {"cpu": "1", "nvidia.com/gpu": "1"})), type=PodObject
            )
        )
        for name in ("a", "b")
    )

    assert first.shape is second.shape
    assert (first.uid, second.uid) == ("uid-a", "uid-b")
