"""Whatever is wrong with a price list, the answer is one line: file, line, field, what to do."""

from __future__ import annotations

import gzip
import random
from typing import TYPE_CHECKING

import pytest

from gpu_fleet.errors import InputError
from simulations.readers.files import read_text
from simulations.readers.offerings import Selection, price_list

if TYPE_CHECKING:
    from pathlib import Path

OURS = "name,cpu_milli,memory_mib,gpu,model,cost_per_hour,limit,gpu_memory_mib"
CLOUD = "vm_size,region,vcpu,memory_gib,gpu_name,gpu_count,gpu_mem_gib,od_usd_h"
NOISE = random.Random(3).randbytes(1 << 16)  # noqa: S311 - the same noise every time


def complaint(path: Path, content: str | bytes, selection: Selection | None = None) -> str:
    """The one line, without the path in front of it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        price_list(read_text(path), selection)
    message = str(caught.value)
    assert message.startswith(f"{path}:")
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300
    assert caught.value.remedy
    return message.removeprefix(f"{path}:")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("", " the file is empty", id="empty"),
        pytest.param(f"{OURS}\n", "1: there is no offering under the header", id="header only"),
        pytest.param(f"{CLOUD}\n", "1: there is no offering under the header", id="cloud header"),
        pytest.param("a,b\n1,2\n", "1: name: the column is missing", id="other columns"),
        pytest.param("name,gpu\na,1\n", "1: cpu_milli: the column is missing", id="a column"),
        pytest.param("vm_size,vcpu\na,1\n", "1: memory_gib: the column is missing", id="cloud's"),
        pytest.param(f"{OURS}\na,1,1,0,,1\n", "2: 6 cells under 8 columns", id="short row"),
        pytest.param(f"{OURS}\n,1,1,0,,1,,\n", "2: name: '' is not a name", id="no name"),
        pytest.param(
            f"{OURS}\na,1,1,0,,1,,\na,1,1,0,,1,,\n", "3: name: offering 'a' is already", id="twice"
        ),
        pytest.param(f"{OURS}\na,-1,1,0,,1,,\n", "2: cpu_milli: '-1' is not", id="negative CPU"),
        pytest.param(f"{OURS}\na,1,1e18,0,,1,,\n", "2: memory_mib: '1e18'", id="absurd memory"),
        pytest.param(f"{OURS}\na,1,1,17,T4,1,,\n", "2: gpu: '17' is not possible", id="17 GPUs"),
        pytest.param(f"{OURS}\na,1,1,1,,1,,\n", "2: model: 1 GPU of no model", id="no model"),
        pytest.param(f"{OURS}\na,1,1,0,,,,\n", "2: cost_per_hour: is empty", id="no price"),
        pytest.param(f"{OURS}\na,1,1,0,,-2,,\n", "2: cost_per_hour: '-2'", id="negative price"),
        pytest.param(f"{OURS}\na,1,1,0,,nan,,\n", "2: cost_per_hour: 'nan'", id="NaN"),
        pytest.param(f"{OURS}\na,1,1,0,,inf,,\n", "2: cost_per_hour: 'inf'", id="infinity"),
        pytest.param(f"{OURS}\na,1,1,0,,1e9,,\n", "2: cost_per_hour: '1e9'", id="a price a year"),
        pytest.param(f"{OURS}\na,1,1,0,,1_000,,\n", "2: cost_per_hour: '1_000'", id="underscore"),
        pytest.param(f"{OURS}\na,1,1,0,,$3,,\n", "2: cost_per_hour: '$3'", id="a dollar sign"),
        pytest.param(f"{OURS}\na,1,1,0,,{'9' * 99},,\n", "cost_per_hour: '999", id="digits"),
        pytest.param(f"{OURS}\na,1,1,0,,1,-1,\n", "2: limit: '-1' is not possible", id="limit"),
        pytest.param(f"{OURS}\na,1,1,0,,1,1.5,\n", "2: limit: '1.5' is not whole", id="half"),
        pytest.param(f"{OURS}\na,1,1,1,T4,1,,0\n", "2: gpu_memory_mib: '0'", id="no memory"),
        pytest.param(f"{CLOUD}\na,e,x,1,,0,,1\n", "2: vcpu: 'x' is not possible", id="vcpu"),
        pytest.param(f"{CLOUD}\na,e,1,,,0,,1\n", "2: memory_gib: is empty", id="no memory_gib"),
        pytest.param(f"{CLOUD}\na,e,1,1,,1.5,,1\n", "2: gpu_count: '1.5' is not", id="half a GPU"),
        pytest.param(f"{CLOUD}\na,e,1,1,,2,,1\n", "2: gpu_name: 2 GPUs of no model", id="no name"),
        pytest.param(
            f"{CLOUD}\na,e,1,1,,0,,1\na,w,1,1,,0,,1\n",
            "3: region: the price list has several regions (e, w); choose one with --region",
            id="several regions",
        ),
        pytest.param(NOISE, " is not UTF-8 text", id="noise"),
        pytest.param(gzip.compress(NOISE)[:500], " the gzip is cut short", id="a gzip cut short"),
        pytest.param('{"kind": "List"}', "1: name: the column is missing", id="JSON"),
    ],
)
def test_a_price_list_that_cannot_be_used(
    content: str | bytes, expected: str, tmp_path: Path
) -> None:
    """Each row is a mistake that people make."""
    assert expected in complaint(tmp_path / "prices.csv", content)


@pytest.mark.parametrize(
    ("text", "selection", "expected"),
    [
        (
            f"{OURS}\na,1,1,0,,1,,\n",
            Selection(region="e"),
            "--region: the price list has no column",
        ),
        (
            f"{CLOUD}\na,us-east,1,1,,0,,1\n",
            Selection(region="us-eats"),
            "--region: no offering is in 'us-eats'; use one of us-east (did you mean us-east?)",
        ),
        (f"{OURS}\na,1,1,0,,1,,\n", Selection(names=("b*",)), "--only: no offering has a name"),
    ],
)
def test_a_selection_that_leaves_nothing(
    text: str, selection: Selection, expected: str, tmp_path: Path
) -> None:
    """The option is named, and what there is to choose from."""
    assert expected in complaint(tmp_path / "prices.csv", text, selection)
