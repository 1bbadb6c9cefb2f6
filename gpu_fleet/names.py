"""Every label, annotation, taint and resource name that crosses the Kubernetes API.

They are written once, here, because a typing error in a label is silent.
This module must hold constants only.
"""

from __future__ import annotations

__all__ = [
    "AGENT_LABEL",
    "DATASETS_ANNOTATION",
    "GPU_COUNT_ANNOTATION",
    "GPU_MEMORY_LABEL",
    "GPU_MEMORY_MIB_RESOURCE",
    "GPU_MILLI_ANNOTATION",
    "GPU_MODEL_LABELS",
    "GPU_RESOURCES",
    "GROUP",
    "HOSTNAME_LABEL",
]

GROUP = "synthscale.io"
AGENT_LABEL = f"{GROUP}/agent"
"""On a pod: which agent (AgentProfile) it runs."""
DATASETS_ANNOTATION = f"{GROUP}/datasets"
"""On a pod: comma-separated names of the datasets it reads."""
GPU_MILLI_ANNOTATION = "alibabacloud.com/gpu-milli"
"""On a pod: thousandths of one GPU, as the openb cluster's own scheduler reads it."""
GPU_COUNT_ANNOTATION = "alibabacloud.com/gpu-count"
GPU_MEMORY_MIB_RESOURCE = "nvidia.com/gpumem"
"""HAMi's extended resource: MiB of device memory for each requested GPU."""
GPU_RESOURCES = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915")
"""Extended resources that count whole devices, in the order in which they are looked for."""
GPU_MODEL_LABELS = ("nvidia.com/gpu.product", "amd.com/gpu.product-name", f"{GROUP}/gpu-model")
GPU_MEMORY_LABEL = "nvidia.com/gpu.memory"
"""MiB for each device, as GPU feature discovery writes it; may be absent (GB10 has none)."""
HOSTNAME_LABEL = "kubernetes.io/hostname"
