"""What each accelerator can do, and how we know.

A figure always says where it comes from: measured beats derived beats table beats unknown. Tables
of peak figures that are copied around mix sparse with dense and pairs with single devices
(Lightning 2.6.6 does), so every row here is **dense, per GPU**, names its source, and is checked
against the formula in `derive` wherever the silicon is known. A figure without a source is
`Missing`.
This module must not measure anything, nor guess what an undisclosed product can do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from gpu_fleet.readings import Missing

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "CATALOGUE",
    "Accelerator",
    "Capability",
    "Figure",
    "Provenance",
    "Silicon",
    "allocatable_memory_mib",
    "best",
    "capability",
    "derive",
    "find",
    "is_known",
]


class Provenance(IntEnum):
    """How a figure is known; the larger one wins."""

    UNKNOWN = 0
    TABLE = 1
    DERIVED = 2
    MEASURED = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and why we believe it."""

    value: float
    provenance: Provenance
    source: str


@dataclass(frozen=True, slots=True)
class Capability:
    """What one device can do; each figure by itself may be absent."""

    fp16_tflops: Figure | Missing
    """Dense matrix products, 1e12 operations a second."""
    bf16_tflops: Figure | Missing
    memory_mib: Figure | Missing
    bandwidth_gb_s: Figure | Missing
    """Of its own memory, 1e9 bytes a second."""
    watts: Figure | Missing
    nvlink_gb_s: Figure | Missing
    """Both directions together, or the vendor's equal of NVLink."""
    achieved_tflops: Figure | Missing
    """The best matrix product that somebody measured, any size."""


@dataclass(frozen=True, slots=True)
class Silicon:
    """What a driver reports of any product, known or not; enough to derive its peaks."""

    compute_capability: tuple[int, int]
    sm_count: int
    clock_mhz: float
    """Of the multiprocessors. The reported maximum overstates by up to 8 %: boost is lower."""
    memory_clock_mhz: float
    bus_width_bits: int


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A product: its NVML name, what else it is called, and its figures."""

    name: str
    aliases: tuple[str, ...]
    capability: Capability
    silicon: Silicon | None = None


# ------------------------------------------------------------------------------- asking


def capability(name: str, memory_mib: int | None = None, watts: float | None = None) -> Capability:
    """The table's figures for a product; where several answer to the name, those they share."""
    found = [accelerator.capability for accelerator in find(name, memory_mib, watts)]
    if not found:
        return _unknown(f"{name} is not in the catalogue")
    return _pick(lambda figures: _shared(figures, name), found)


@lru_cache(maxsize=1024)  # a cluster has thousands of nodes and a handful of products
def find(
    name: str, memory_mib: int | None = None, watts: float | None = None
) -> tuple[Accelerator, ...]:
    """The products that a device may be: by name, then by memory, then by power limit.

    The name is NVML's, a GPU feature discovery label, or a short name of a cloud or of openb. It
    does not settle the form factor alone ("NVIDIA H200" is two products).
    """
    plain = _plain(name)
    found = [a for a in CATALOGUE if plain in {_plain(word) for word in (a.name, *a.aliases)}]
    if memory_mib is not None:
        found = [a for a in found if _is_near(a.capability.memory_mib, memory_mib)]
    if watts is not None and len(found) > 1:
        near = [a for a in found if _is_near(a.capability.watts, watts)]
        found = near or found
    return tuple(found)


def is_known(model: str) -> bool:
    """Whether the name means something here, even if nothing about the product is disclosed."""
    return model in _UNDISCLOSED or bool(find(model))


def allocatable_memory_mib(model: str) -> int | Missing:
    """MiB of one device that pods can have."""
    if model in _OPENB_MEMORY_MIB:
        return _OPENB_MEMORY_MIB[model]
    if model in _UNDISCLOSED:
        return Missing(f"model {model} is undisclosed")
    memory = capability(model).memory_mib
    return memory if isinstance(memory, Missing) else int(memory.value)


def best(*known: Capability) -> Capability:
    """Figure by figure the one with the strongest provenance; of equals, the first."""
    return _pick(_strongest, list(known))


def derive(silicon: Silicon) -> Capability:
    """Peaks of a product that no table has.

    bandwidth = 2 x memory clock x bus width / 8; TFLOPS = SMs x FMA per SM and clock x 2 x clock.
    Products whose tensor cores are slowed down by choice (L40: by half) read too high.
    """
    gb_s = 2 * silicon.memory_clock_mhz * silicon.bus_width_bits / 8 / 1_000
    fma = _FMA_PER_SM_AND_CLOCK.get(silicon.compute_capability)
    major, minor = silicon.compute_capability
    tflops: Figure | Missing = Missing(f"no rate for compute capability {major}.{minor}")
    if fma is not None:
        tflops = _derived(silicon.sm_count * fma * 2 * silicon.clock_mhz / 1e6)
    has_bf16 = silicon.compute_capability >= _FIRST_WITH_BF16
    nothing = Missing("not derivable")
    return Capability(
        fp16_tflops=tflops,
        bf16_tflops=tflops if has_bf16 else Missing(_NO_BF16),
        memory_mib=nothing,
        bandwidth_gb_s=_derived(gb_s),
        watts=nothing,
        nvlink_gb_s=nothing,
        achieved_tflops=nothing,
    )


_FMA_PER_SM_AND_CLOCK: dict[tuple[int, int], int] = {
    (7, 0): 512,  # 640 tensor cores x 64 FMA over 80 SMs
    (7, 5): 512,
    (8, 0): 1024,
    (8, 6): 512,
    (8, 9): 512,
    (9, 0): 2048,
    (10, 0): 4096,
}
"""Dense FP16 with FP32 accumulation; each agrees with a published peak below (see the tests)."""
_FIRST_WITH_BF16 = (8, 0)
_NO_BF16 = "has no bf16"
_TOLERANCE = 0.10
"""Drivers keep up to 8 % of the nominal memory for ECC and themselves."""
_PREFIXES = re.compile(r"^(nvidia-)?(tesla-)?(amd-)?(instinct-)?(intel-)?")
_SHARED_SUFFIX = "-shared"
"""GPU feature discovery appends it to the product where GPUs are time-sliced."""


def _plain(name: str) -> str:
    dashed = re.sub(r"[\s_-]+", "-", name.strip().lower()).removesuffix(_SHARED_SUFFIX)
    return _PREFIXES.sub("", dashed)


def _is_near(figure: Figure | Missing, value: float) -> bool:
    return isinstance(figure, Missing) or abs(figure.value - value) <= _TOLERANCE * figure.value


def _shared(figures: list[Figure | Missing], name: str) -> Figure | Missing:
    values = {f.value if isinstance(f, Figure) else None for f in figures}
    if len(values) == 1:
        return figures[0]
    return Missing(f"{len(figures)} products answer to {name} and differ in it")


def _strongest(figures: list[Figure | Missing]) -> Figure | Missing:
    return max(figures, key=lambda f: f.provenance if isinstance(f, Figure) else Provenance.UNKNOWN)


def _derived(value: float) -> Figure:
    return Figure(value, Provenance.DERIVED, "clocks and widths that the driver reports")


def _unknown(reason: str) -> Capability:
    nothing = Missing(reason)
    return Capability(nothing, nothing, nothing, nothing, nothing, nothing, nothing)


def _pick(
    choose: Callable[[list[Figure | Missing]], Figure | Missing], known: list[Capability]
) -> Capability:
    return Capability(
        fp16_tflops=choose([c.fp16_tflops for c in known]),
        bf16_tflops=choose([c.bf16_tflops for c in known]),
        memory_mib=choose([c.memory_mib for c in known]),
        bandwidth_gb_s=choose([c.bandwidth_gb_s for c in known]),
        watts=choose([c.watts for c in known]),
        nvlink_gb_s=choose([c.nvlink_gb_s for c in known]),
        achieved_tflops=choose([c.achieved_tflops for c in known]),
    )


# ------------------------------------------------------------------------------- the table

_CAPTURE = "nvidia-smi captures of real nodes that NVIDIA publishes (k8s-test-infra)"
_ML_ENGINEERING = "stas00/ml-engineering, compute/accelerator/README.md, citing vendor pages"
_BLACKWELL = "NVIDIA Blackwell brief as quoted by datacrunch; TFLOPS and watts: ml-engineering"
_A100 = "glennklockwood, garden/processors/A100; TFLOPS and watts: ml-engineering"
_H100_PCIE = "NVIDIA PB-11133; TFLOPS and bandwidth: ml-engineering"
_L40 = "NVIDIA L40 and L40S datasheets"
_A40 = "NVIDIA A40 datasheet"
_LIGHTNING = "NVIDIA datasheets as cited by Lightning 2.6.6"
_SYSRQMTS = f"{_LIGHTNING}; bandwidth: sysrqmts"
_L4 = f"{_LIGHTNING}; bandwidth and watts: grokipedia, L4 vs L40S"
_H200 = f"{_ML_ENGINEERING}; memory: read from a device"
_P100 = "NVIDIA's announcement of the P100 for PCIe, June 2016, as quoted by tech4gamers"
_OPENB = "hkust-adsl/kubernetes-scheduler-simulator, MapGpuTypeMemoryMiB"

_NO_LINK = Missing("has none")
_UNSOURCED = Missing("no vendor page seen")
_NOBODY = Missing("nobody published one that we know")


def _row(
    name: str,
    *aliases: str,
    source: str,
    tflops: float | Missing,
    mib: float,
    gb_s: float,
    watts: float | Missing,
    link: float | Missing,
    achieved: float | Missing = _NOBODY,
    captured: bool = False,
    mib_source: str | None = None,
    bf16: bool = True,
    silicon: Silicon | None = None,
) -> Accelerator:
    """Where a source gives a range, the cell holds the lower end: what one can count on."""

    def figure(value: float | Missing, of: str = source) -> Figure | Missing:
        return value if isinstance(value, Missing) else Figure(value, Provenance.TABLE, of)

    nameplate = _CAPTURE if captured else source
    return Accelerator(
        name=name,
        aliases=aliases,
        capability=Capability(
            fp16_tflops=figure(tflops),
            bf16_tflops=figure(tflops) if bf16 else Missing(_NO_BF16),
            memory_mib=figure(mib, mib_source or nameplate),
            bandwidth_gb_s=figure(gb_s),
            watts=figure(watts, nameplate),
            nvlink_gb_s=figure(link),
            achieved_tflops=figure(achieved, _ML_ENGINEERING),
        ),
        silicon=silicon,
    )


def _nominal(gib: int) -> int:
    """MiB printed on the box; the driver keeps a few percent of it."""
    return gib * 1024


CATALOGUE: tuple[Accelerator, ...] = (
    _row(
        "NVIDIA GB300",
        source=_ML_ENGINEERING,
        tflops=2500,
        mib=284_208,
        gb_s=8000,
        watts=1400,
        link=1800,
        captured=True,
    ),
    _row(
        "NVIDIA GB200",
        source=_BLACKWELL,
        tflops=2500,
        mib=189_471,
        gb_s=8000,
        watts=1200,
        link=1800,
        achieved=1822,
        captured=True,
    ),
    _row(
        "NVIDIA B300 SXM",
        "B300",
        source=_ML_ENGINEERING,
        tflops=2250,
        mib=_nominal(288),
        gb_s=8000,
        watts=Missing("sources say 1000 to 1100"),
        link=1800,
        achieved=1769,
    ),
    _row(
        "NVIDIA B200",
        source=_BLACKWELL,
        tflops=2250,
        mib=183_359,
        gb_s=7700,
        watts=1000,
        link=1800,
        achieved=1745,
        captured=True,
        silicon=Silicon((10, 0), 148, 1965, 3996, 8192),
    ),
    _row(
        "GH200 141GB",
        source=_ML_ENGINEERING,
        tflops=989,
        mib=_nominal(141),
        gb_s=4800,
        watts=900,
        link=900,
        achieved=829,
    ),
    _row(
        "NVIDIA H200",
        "H200-141GB",
        source=_H200,
        tflops=989,
        mib=143_771,
        gb_s=4800,
        watts=700,
        link=900,
    ),
    _row(
        "NVIDIA H200 NVL",
        "H200",
        source=_ML_ENGINEERING,
        tflops=_UNSOURCED,
        mib=_nominal(141),
        gb_s=4800,
        watts=600,
        link=_UNSOURCED,
    ),
    _row(
        "NVIDIA H100 80GB HBM3",
        "H100",
        "H100-80GB",
        "H100-SXM5",
        source=_ML_ENGINEERING,
        tflops=989,
        mib=81_559,
        gb_s=3350,
        watts=700,
        link=900,
        achieved=795,
        captured=True,
        silicon=Silicon((9, 0), 132, 1830, 2619, 5120),
    ),
    _row(
        "NVIDIA H100 NVL",
        "H100",
        source=_ML_ENGINEERING,
        tflops=_UNSOURCED,
        mib=_nominal(94),
        gb_s=3930,
        watts=Missing("sources say 350 to 400"),
        link=_UNSOURCED,
    ),
    _row(
        "NVIDIA H100 PCIe",
        "H100",
        "H100-80GB",
        source=_H100_PCIE,
        tflops=756,
        mib=_nominal(80),
        gb_s=2000,
        watts=350,
        link=_UNSOURCED,
    ),
    _row(
        "NVIDIA A100-SXM4-80GB",
        "A100",
        "A100-80GB",
        source=_A100,
        tflops=312,
        mib=_nominal(80),
        gb_s=2039,
        watts=400,
        link=600,
        achieved=271,
        silicon=Silicon((8, 0), 108, 1410, 1593, 5120),
    ),
    _row(
        "NVIDIA A100-SXM4-40GB",
        "A100",
        "A100-40GB",
        source=_A100,
        tflops=312,
        mib=40_960,
        gb_s=1555,
        watts=400,
        link=600,
        captured=True,
        silicon=Silicon((8, 0), 108, 1410, 1215, 5120),
    ),
    _row(
        "NVIDIA A100 80GB PCIe",
        "A100",
        "A100-80GB",
        "A100-PCIE-80GB",
        source=_ML_ENGINEERING,
        tflops=312,
        mib=_nominal(80),
        gb_s=1940,
        watts=300,
        link=_UNSOURCED,
        achieved=253,
    ),
    _row(
        "NVIDIA L40S",
        source=_L40,
        tflops=362,
        mib=46_068,
        gb_s=864,
        watts=350,
        link=_NO_LINK,
        captured=True,
        silicon=Silicon((8, 9), 142, 2490, 9001, 384),
    ),
    _row(  # no silicon: same chip as the L40S, half its rate by choice, so the formula is wrong
        "NVIDIA L40",
        source=_L40,
        tflops=181,
        mib=_nominal(48),
        gb_s=864,
        watts=300,
        link=_NO_LINK,
    ),
    _row(
        "NVIDIA L4",
        source=_L4,
        tflops=121,
        mib=_nominal(24),
        gb_s=300,
        watts=72,
        link=_NO_LINK,
        silicon=Silicon((8, 9), 58, 2040, 6251, 192),
    ),
    _row(
        "NVIDIA A10",
        source=_SYSRQMTS,
        tflops=125,
        mib=_nominal(24),
        gb_s=600,
        watts=_UNSOURCED,
        link=_NO_LINK,
        silicon=Silicon((8, 6), 72, 1695, 6251, 384),
    ),
    _row(
        "NVIDIA A40",
        source=_A40,
        tflops=150,
        mib=_nominal(48),
        gb_s=696,
        watts=300,
        link=112,
        silicon=Silicon((8, 6), 84, 1740, 7251, 384),
    ),
    _row(
        "Tesla T4",
        source=_LIGHTNING,
        tflops=65,
        mib=15_360,
        gb_s=320,
        watts=70,
        link=_NO_LINK,
        captured=True,
        bf16=False,
        silicon=Silicon((7, 5), 40, 1590, 5001, 256),
    ),
    _row(
        "Tesla V100-SXM2-16GB",
        "V100",
        "V100-16GB",
        "V100M16",
        source=_SYSRQMTS,
        tflops=125,
        mib=_nominal(16),
        gb_s=897,
        watts=_UNSOURCED,
        link=_UNSOURCED,
        bf16=False,
        silicon=Silicon((7, 0), 80, 1530, 877, 4096),
    ),
    _row(
        "Tesla V100-SXM2-32GB",
        "V100",
        "V100-32GB",
        "V100M32",
        source=_SYSRQMTS,
        tflops=125,
        mib=_nominal(32),
        gb_s=897,
        watts=_UNSOURCED,
        link=_UNSOURCED,
        bf16=False,
        silicon=Silicon((7, 0), 80, 1530, 877, 4096),
    ),
    _row(  # no tensor cores: the figure is that of its vector units
        "Tesla P100-PCIE-16GB",
        "P100",
        source=_P100,
        tflops=18.7,
        mib=16_280,
        mib_source=_OPENB,
        gb_s=720,
        watts=250,
        link=_NO_LINK,
        bf16=False,
    ),
    _row(
        "NVIDIA RTX PRO 6000 Blackwell Server Edition",
        "RTX-PRO-6000",
        "RTX-PRO-SERVER-6000",
        source=_ML_ENGINEERING,
        tflops=_UNSOURCED,
        mib=_nominal(96),
        gb_s=1600,
        watts=600,
        link=_NO_LINK,
    ),
    _row(
        "AMD Instinct MI355X",
        source=_ML_ENGINEERING,
        tflops=2300,
        mib=_nominal(288),
        gb_s=8000,
        watts=1400,
        link=_UNSOURCED,
        achieved=1565,
    ),
    _row(
        "AMD Instinct MI350X",
        source=_ML_ENGINEERING,
        tflops=_UNSOURCED,
        mib=_nominal(288),
        gb_s=8000,
        watts=1000,
        link=_UNSOURCED,
    ),
    _row(
        "AMD Instinct MI325X",
        source=_ML_ENGINEERING,
        tflops=1300,
        mib=_nominal(256),
        gb_s=6000,
        watts=1000,
        link=_UNSOURCED,
        achieved=785,
    ),
    _row(
        "AMD Instinct MI300X",
        source=f"{_ML_ENGINEERING}; also ttsugriy, hardware assumptions",
        tflops=1307,
        mib=_nominal(192),
        gb_s=5300,
        watts=750,
        link=896,
        achieved=668,
    ),
    _row(
        "AMD Instinct MI250X",
        source=_ML_ENGINEERING,
        tflops=383,
        mib=_nominal(128),
        gb_s=3280,
        watts=560,
        link=_UNSOURCED,
    ),
    _row(
        "Intel Gaudi3",
        source=_ML_ENGINEERING,
        tflops=1677,
        mib=_nominal(128),
        gb_s=3700,
        watts=900,
        link=_UNSOURCED,
        achieved=1243,
    ),
    _row(
        "Intel Gaudi2",
        source=_ML_ENGINEERING,
        tflops=432,
        mib=_nominal(96),
        gb_s=2460,
        watts=600,
        link=_UNSOURCED,
        achieved=419,
    ),
)

_OPENB_MEMORY_MIB = {
    "T4": 15_109,
    "P100": 16_280,
    "V100M16": 16_160,
    "V100M32": 32_510,
    "A10": 22_731,
}
"""What pods of the openb cluster could have of each device, by its own simulator's table."""
_UNDISCLOSED = frozenset({"G1", "G2", "G3"})
"""Models that openb names and does not disclose: real, and nothing is known about them."""
