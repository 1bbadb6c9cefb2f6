"""Product strings do not settle the form factor, so memory and the power limit get a say."""

from __future__ import annotations

import pytest

from gpu_fleet.accelerators import (
    CATALOGUE,
    Capability,
    Figure,
    Provenance,
    allocatable_memory_mib,
    best,
    capability,
    find,
    is_known,
)
from gpu_fleet.readings import Missing


@pytest.mark.parametrize(
    ("called", "name"),
    [
        pytest.param("NVIDIA A100-SXM4-40GB", "NVIDIA A100-SXM4-40GB", id="NVML name"),
        pytest.param("NVIDIA-A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB", id="GFD label"),
        pytest.param("Tesla-T4-SHARED", "Tesla T4", id="GFD label of a time-sliced GPU"),
        pytest.param("NVIDIA-H100-80GB-HBM3", "NVIDIA H100 80GB HBM3", id="GFD label with spaces"),
        pytest.param("T4", "Tesla T4", id="openb"),
        pytest.param("V100M16", "Tesla V100-SXM2-16GB", id="openb, small V100"),
        pytest.param("V100M32", "Tesla V100-SXM2-32GB", id="openb, large V100"),
        pytest.param("P100", "Tesla P100-PCIE-16GB", id="openb, P100"),
        pytest.param("nvidia-tesla-t4", "Tesla T4", id="GKE"),
        pytest.param("l40s", "NVIDIA L40S", id="Karpenter on AWS"),
        pytest.param("A100-40GB", "NVIDIA A100-SXM4-40GB", id="price list"),
        pytest.param("H100-NVL", "NVIDIA H100 NVL", id="Azure"),
    ],
)
def test_one_product_under_all_its_names(called: str, name: str) -> None:
    """However a label, a cloud or a trace calls it."""
    assert [name] == [accelerator.name for accelerator in find(called)]


def test_every_product_answers_to_its_own_name() -> None:
    """No alias hides a row."""
    for accelerator in CATALOGUE:
        assert accelerator in find(accelerator.name)


@pytest.mark.parametrize(
    ("memory_mib", "watts", "names"),
    [
        pytest.param(None, None, {"80GB HBM3", "NVL", "PCIe"}, id="the name alone leaves three"),
        pytest.param(81_559, None, {"80GB HBM3", "PCIe"}, id="memory rules one out"),
        pytest.param(81_559, 700, {"80GB HBM3"}, id="the power limit decides"),
        pytest.param(95_830, None, {"NVL"}, id="memory decides"),
        pytest.param(10_240, None, set(), id="a MIG slice is none of them"),
        pytest.param(81_559, 500, {"80GB HBM3", "PCIe"}, id="a capped limit decides nothing"),
    ],
)
def test_h100(memory_mib: int | None, watts: float | None, names: set[str]) -> None:
    """Three products are called H100."""
    found = find("H100", memory_mib, watts)

    assert names == {accelerator.name.removeprefix("NVIDIA H100 ") for accelerator in found}


def test_products_that_share_a_name_keep_only_what_they_share() -> None:
    """Every A100 computes alike; their memories differ, so the name does not tell it."""
    a100 = capability("A100")

    assert isinstance(a100.fp16_tflops, Figure)
    assert a100.fp16_tflops.value == 312
    assert a100.memory_mib == Missing("3 products answer to A100 and differ in it")


@pytest.mark.parametrize("model", ["A10G", "G2", "", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "H1000"])
def test_what_is_not_in_the_catalogue_is_missing(model: str) -> None:
    """A near name is another product: A10G has half the rate of A10."""
    assert find(model) == ()
    assert isinstance(capability(model).fp16_tflops, Missing)


def test_undisclosed_models_are_known_to_exist_and_nothing_else() -> None:
    """The names G2 and G3 of openb are legal and have no figure."""
    assert is_known("G2")
    assert not is_known("T44")
    assert allocatable_memory_mib("G2") == Missing("model G2 is undisclosed")


def test_pods_get_less_memory_than_the_device_has() -> None:
    """The table of openb says how much; elsewhere it is what the driver reports."""
    assert allocatable_memory_mib("T4") == 15_109
    assert allocatable_memory_mib("Tesla T4") == 15_360
    assert isinstance(allocatable_memory_mib("A10G"), Missing)


def test_measured_beats_derived_beats_table_beats_unknown() -> None:
    """Figure by figure, whatever the order."""

    def known(provenance: Provenance, watts: Figure | Missing) -> Capability:
        nothing = Missing("not asked")
        figure = Figure(float(provenance), provenance, "test")
        return Capability(figure, nothing, nothing, nothing, watts, nothing, nothing)

    table_watts = Figure(70.0, Provenance.TABLE, "test")
    measured = known(Provenance.MEASURED, Missing("not measured"))
    derived = known(Provenance.DERIVED, Missing("not derivable"))
    table = known(Provenance.TABLE, table_watts)

    for order in ([measured, derived, table], [table, derived, measured]):
        chosen = best(*order)
        assert chosen.fp16_tflops == measured.fp16_tflops
        assert chosen.watts == table_watts
    assert best(table, derived).fp16_tflops == derived.fp16_tflops
