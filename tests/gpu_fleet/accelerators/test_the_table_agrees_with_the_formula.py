"""A table of peaks is only trusted where clocks and widths give the same figure."""

from __future__ import annotations

import pytest

from gpu_fleet.accelerators import CATALOGUE, Accelerator, Figure, Provenance, Silicon, derive
from gpu_fleet.readings import Missing

WITH_SILICON = [accelerator for accelerator in CATALOGUE if accelerator.silicon]
FIGURES = (
    "fp16_tflops",
    "bf16_tflops",
    "memory_mib",
    "bandwidth_gb_s",
    "watts",
    "nvlink_gb_s",
    "achieved_tflops",
)


@pytest.mark.parametrize("accelerator", WITH_SILICON, ids=lambda a: a.name)
def test_within_ten_percent(accelerator: Accelerator) -> None:
    """Sparse figures, pairs and non-tensor rates would all be off by half or more."""
    assert accelerator.silicon is not None
    derived = derive(accelerator.silicon)

    for figure in ("fp16_tflops", "bandwidth_gb_s"):
        table, formula = getattr(accelerator.capability, figure), getattr(derived, figure)
        assert formula.value == pytest.approx(table.value, rel=0.10), figure


@pytest.mark.parametrize(
    ("name", "tflops", "gb_s"),
    [
        ("Tesla T4", 65.1, 320.1),
        ("NVIDIA A100-SXM4-40GB", 311.9, 1555.2),
        ("NVIDIA A10", 125.0, 600.1),
        ("NVIDIA L4", 121.2, 300.0),
        ("NVIDIA L40S", 362.1, 864.1),
        ("NVIDIA H100 80GB HBM3", 989.4, 3352.3),
        ("NVIDIA B200", 2382.4, 8183.8),
    ],
)
def test_worked_examples(name: str, tflops: float, gb_s: float) -> None:
    """The formula's own figures, to the digits in which they were checked by hand."""
    (silicon,) = [a.silicon for a in CATALOGUE if a.name == name]
    assert silicon is not None
    derived = derive(silicon)

    assert isinstance(derived.fp16_tflops, Figure)
    assert isinstance(derived.bandwidth_gb_s, Figure)
    assert derived.fp16_tflops.value == pytest.approx(tflops, abs=0.06)
    assert derived.bandwidth_gb_s.value == pytest.approx(gb_s, abs=0.06)


def test_an_unknown_architecture_has_a_bandwidth_and_no_tflops() -> None:
    """The widths speak for themselves; a tensor core's rate cannot be guessed."""
    derived = derive(Silicon((99, 0), 100, 2000, 2000, 1024))

    assert isinstance(derived.bandwidth_gb_s, Figure)
    assert isinstance(derived.fp16_tflops, Missing)


@pytest.mark.parametrize("accelerator", CATALOGUE, ids=lambda a: a.name)
def test_every_figure_names_its_source_or_is_missing(accelerator: Accelerator) -> None:
    """No zero stands for unknown, and no number stands alone."""
    for name in FIGURES:
        figure = getattr(accelerator.capability, name)
        if isinstance(figure, Figure):
            assert figure.value > 0
            assert figure.source
            assert figure.provenance is Provenance.TABLE
        else:
            assert figure.reason


@pytest.mark.parametrize("accelerator", CATALOGUE, ids=lambda a: a.name)
def test_nothing_achieves_more_than_its_peak(accelerator: Accelerator) -> None:
    """A measured product above the table would mean that the table is wrong."""
    peak, achieved = accelerator.capability.bf16_tflops, accelerator.capability.achieved_tflops
    if isinstance(peak, Figure) and isinstance(achieved, Figure):
        assert 0.5 * peak.value < achieved.value < peak.value
