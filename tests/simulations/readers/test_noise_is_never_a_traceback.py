"""Whatever bytes arrive, a reader returns values or raises `InputError`, and nothing else."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import InputError
from simulations.readers import read_inventory, read_workload
from tests.simulations.readers.kube_objects import container, node, pod

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulations.workload import Inventory, Workload
    from tests.simulations.readers.kube_objects import Json

PODS = b"""name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,creation_time,deletion_time
p0,6000,12288,1,460,V100M32|T4,10,20
p1,12000,16384,8,1000,,20,50
p2,500,1024.0,0,0,,1e1,
"""
NODES = b"""sn,cpu_milli,memory_mib,gpu,model
n0,32000,262144,0,
n1,96000,393216,8,G2
"""
CLUSTER = json.dumps(
    {
        "kind": "List",
        "items": [
            node("a", gpus=2, labels={"nvidia.com/gpu.memory": "15360"}),
            pod(
                "x",
                {"cpu": "1", "memory": "1.5Gi", "nvidia.com/gpu": 1},
                annotations={"synthscale.io/datasets": "a,b"},
                initContainers=[container({"cpu": 0.5}, restartPolicy="Always")],
                tolerations=[{"operator": "Exists"}],
                priority=3,
            ),
        ],
    }
).encode()
ANY_FILE = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example overwrites its file
    deadline=None,
)


def only_input_errors(path: Path, content: bytes) -> None:
    """Both readers, on the bytes as they are and compressed."""
    readers: tuple[Callable[[Path], Inventory | Workload], ...] = (read_inventory, read_workload)
    for stored in (content, gzip.compress(content, 1)):
        path.write_bytes(stored)
        for read in readers:
            try:
                read(path)
            except InputError as error:
                assert "\n" not in str(error)  # noqa: PT017 - one of two legal outcomes


@ANY_FILE
@given(st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, content: bytes) -> None:
    """Not a file at all."""
    only_input_errors(tmp_path / "noise", content)


@ANY_FILE
@given(st.sampled_from([b"{", b"[", b'{"kind":"List","items":[', b"name,", b"\x1f\x8b"]), st.text())
def test_what_opens_like_a_file(tmp_path: Path, start: bytes, rest: str) -> None:
    """The first bytes promise a format and the rest breaks the promise."""
    only_input_errors(tmp_path / "noise", start + rest.encode("utf-8", "replace"))


@ANY_FILE
@given(
    st.sampled_from([PODS, NODES, CLUSTER]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 20), st.binary(max_size=6)), max_size=4),
)
def test_a_good_file_with_bites_taken_out(
    tmp_path: Path, content: bytes, bites: list[tuple[float, int, bytes]]
) -> None:
    """Some bytes are gone, others came in."""
    for where, removed, added in bites:
        place = int(where * len(content))
        content = content[:place] + added + content[place + removed :]

    only_input_errors(tmp_path / "bitten", content)


CELLS = st.sampled_from(
    ["", "0", "1", "-1", "17", "1e308", "1e999", "nan", "1.5", '"', '"a', "a|b", "|", "\x00", "\r"]
) | st.text(max_size=5)


@ANY_FILE
@given(st.lists(st.lists(CELLS, min_size=8, max_size=8), min_size=1, max_size=3))
def test_cells_of_every_kind(tmp_path: Path, rows: list[list[str]]) -> None:
    """The header is right, the cells are not."""
    header = PODS.splitlines()[0].decode()
    text = "\n".join([header, *(",".join(row) for row in rows)])

    only_input_errors(tmp_path / "cells.csv", text.encode("utf-8", "replace"))


def paths(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where every value inside a JSON value is."""
    inner: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(found for key, part in inner for found in paths(part, (*path, key)))]


ODD_VALUES: list[Json] = [
    None,
    True,
    -1,
    1e300,
    10**30,
    "",
    "\x00",
    "1e9999",
    [],
    {},
    [None],
    "é\n",
]


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
def test_every_field_of_a_cluster_holding_something_odd(tmp_path: Path, odd: Json) -> None:
    """Field by field, a value of the wrong kind or size."""
    for path in paths(json.loads(CLUSTER)):
        cluster = json.loads(CLUSTER)
        if not path:
            cluster = odd
        else:
            parent = cluster
            for key in path[:-1]:
                parent = parent[key]
            parent[path[-1]] = odd
        only_input_errors(tmp_path / "odd.json", json.dumps(cluster).encode())
