"""What is for rent is a market a test can foresee: models we know, and no two prices alike.

These are facts of the recipe; whether Karpenter reads the file is for the tests that start it.
"""

from __future__ import annotations

import itertools
import json

import pytest

from gpu_fleet.accelerators import find
from tests.cluster.karpenter.instance_types import (
    FOR_RENT,
    ON_DEMAND,
    SPOT,
    ZONES,
    InstanceType,
    file_of,
    price_usd_h,
)

MARKET = tuple(itertools.product(FOR_RENT, ZONES, (ON_DEMAND, SPOT)))


def test_no_two_offers_cost_the_same() -> None:
    """The provider throws dice among equal prices, so there are none, and a run repeats."""
    prices = {price_usd_h(*offer) for offer in MARKET}

    assert len(prices) == len(MARKET)


@pytest.mark.parametrize(
    ("zone", "capacity_type", "price"),
    [("zone-a", ON_DEMAND, 0.24), ("zone-b", ON_DEMAND, 0.2424), ("zone-a", SPOT, 0.096)],
)
def test_a_price_is_the_sum_of_its_parts(zone: str, capacity_type: str, price: float) -> None:
    """Four cores and sixteen GiB: 0.16 + 0.08, a little more in the next zone, less as spot."""
    assert price == price_usd_h(InstanceType("plain.4", 4, 16), zone, capacity_type)


@pytest.mark.parametrize(
    "machine", [machine for machine in FOR_RENT if machine.gpus], ids=lambda machine: machine.name
)
def test_every_gpu_is_a_product_we_know(machine: InstanceType) -> None:
    """Name and memory, as a node will be labelled with them, lead to one product or its twin."""
    assert machine.gpus is not None
    assert find(machine.gpus.model, machine.gpus.memory_mib)


def test_the_file_offers_each_machine_in_every_zone_and_both_ways() -> None:
    """One offering for each zone and capacity type, each with the price of the recipe."""
    entries = json.loads(file_of(FOR_RENT))
    offered = {
        (entry["name"], *(rule["values"][0] for rule in each["Requirements"][:2]), each["Price"])
        for entry in entries
        for each in entry["offerings"]
    }

    assert offered == {
        (machine.name, capacity_type, zone, price_usd_h(machine, zone, capacity_type))
        for machine, zone, capacity_type in MARKET
    }
