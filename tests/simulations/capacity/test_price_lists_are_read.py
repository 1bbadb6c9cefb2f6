"""Both forms of a price list become the same offerings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gpu_fleet.accelerators import allocatable_memory_mib
from gpu_fleet.readings import Missing
from simulations.readers.files import read_text
from simulations.readers.offerings import Selection, price_list
from tests.traces import trace_file

if TYPE_CHECKING:
    from pathlib import Path

    from simulations.capacity.market import PriceList

OURS = """\
name,cpu_milli,memory_mib,gpu,model,cost_per_hour,limit,gpu_memory_mib
t4,16000,112640,1,T4,1.204,,
secret,96000,921600,8,G9,27.197,20,
known,96000,921600,8,G9,27.197,,40000
none,96000,393216,0,,4.608,0,
"""
CLOUD = """\
{name},region,vcpu,memory_gib,gpu_name,gpu_count,gpu_mem_gib,od_usd_h,arch
small,east,12.0,85.5,T4,1,22.3515625,3.673385,x86_64
plain,east,2,4,,0,,0.1,arm64
gone,east,2,4,,,,,x86_64
"""


def read(path: Path, text: str, selection: Selection | None = None) -> PriceList:
    """The text as a file."""
    path.write_text(text, encoding="utf-8")
    return price_list(read_text(path), selection)


def test_ours(tmp_path: Path) -> None:
    """Amounts, models, prices, limits; the memory of a device as far as it is known."""
    t4, secret, known, none = read(tmp_path / "ours.csv", OURS).offerings

    assert (t4.cpu_milli, t4.memory_mib, len(t4.devices)) == (16_000, 112_640, 1)
    assert (t4.gpu_model, t4.cost_per_hour, t4.limit) == ("T4", 1.204, None)
    assert t4.devices[0].memory_mib == allocatable_memory_mib("T4")
    assert secret.limit == 20
    assert isinstance(secret.devices[0].memory_mib, Missing)
    assert known.devices[0].memory_mib == 40_000
    assert (none.devices, none.gpu_model, none.limit) == ((), None, 0)


@pytest.mark.parametrize("name", ["instance_type", "vm_size", "machine_type"])
def test_a_clouds_table(name: str, tmp_path: Path) -> None:
    """Decimals round down; rows without a price are left out, and counted."""
    prices = read(tmp_path / "cloud.csv", CLOUD.format(name=name))
    small, plain = prices.offerings

    assert (small.name, small.cpu_milli, small.memory_mib) == ("small", 12_000, 87_552)
    assert small.devices[0].memory_mib == 22_888
    assert small.cost_per_hour == pytest.approx(3.673385)
    assert (plain.name, plain.devices) == ("plain", ())
    assert "1 offering has no price: left out" in prices.notes
    assert "1 offering is arm64: its images must be, too" in prices.notes


def test_assumptions_are_said(tmp_path: Path) -> None:
    """Nothing is set aside; memory that is not known; columns that are not read."""
    text = (
        OURS.replace("limit", "limit,colour").replace("04,,", "04,,red,").replace(",20,", ",20,,")
    )
    text = text.replace("27.197,,40000", "27.197,,,40000").replace("4.608,0,", "4.608,0,,")
    notes = read(tmp_path / "ours.csv", text).notes

    assert any("nothing is set aside" in note for note in notes)
    assert any(note.startswith("device memory of G9 is unknown") for note in notes)
    assert "price list columns not read: colour" in notes


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), ["t4", "secret", "known", "none"]),
        (("t4",), ["t4"]),
        (("*n*",), ["known", "none"]),
        (("s*", "t?"), ["t4", "secret"]),
    ],
)
def test_offerings_are_chosen_by_name(
    names: tuple[str, ...], expected: list[str], tmp_path: Path
) -> None:
    """Patterns as a shell has them."""
    found = read(tmp_path / "ours.csv", OURS, Selection(names=names)).offerings

    assert [offering.name for offering in found] == expected


def test_a_region_is_chosen(tmp_path: Path) -> None:
    """The same name costs something else elsewhere."""
    text = CLOUD.format(name="vm_size") + "small,west,12,85,T4,1,16,9.5,x86_64\n"
    found = read(tmp_path / "cloud.csv", text, Selection(region="west")).offerings

    assert [(offering.name, offering.cost_per_hour) for offering in found] == [("small", 9.5)]


@pytest.mark.traces
@pytest.mark.parametrize(
    ("file", "region", "least"),
    [("aws_us-east-1", None, 1_000), ("azure_eastus", None, 80), ("gcp_us", "us-central1", 100)],
)
def test_real_price_lists(file: str, region: str | None, least: int) -> None:
    """Those that planners have today."""
    path = trace_file(f"prices/{file}.csv")
    found = price_list(read_text(path), Selection(region=region)).offerings

    assert len(found) >= least
    assert any(offering.devices for offering in found)
