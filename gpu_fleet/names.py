"""Every label, annotation, taint and resource name that crosses the Kubernetes API.

They are written once, here, because a typing error in a label is silent.
This module must hold constants only.
"""

from __future__ import annotations

__all__ = [
    "AGENT_LABEL",
    "DATASETS_ANNOTATION",
    "GPU_CARD_MODEL",
    "GPU_CORES_PERCENT_RESOURCE",
    "GPU_COUNT_ANNOTATION",
    "GPU_INDEX_ANNOTATION",
    "GPU_MEMORY_LABEL",
    "GPU_MEMORY_MIB_RESOURCE",
    "GPU_MEMORY_PERCENT_RESOURCE",
    "GPU_MILLI_ANNOTATION",
    "GPU_MODEL_LABELS",
    "GPU_REPLICAS_LABEL",
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
"""On a pod: how many devices; the same word is that cluster's extended resource on a node."""
GPU_INDEX_ANNOTATION = "alibabacloud.com/gpu-index"
"""On a bound pod: the devices it holds, joined with dashes."""
GPU_CARD_MODEL = "alibabacloud.com/gpu-card-model"
"""On a node (label) its model; on a pod (annotation) the allowed models, joined with bars."""
GPU_MEMORY_MIB_RESOURCE = "nvidia.com/gpumem"
"""HAMi's extended resource: MiB of device memory for each requested GPU."""
GPU_MEMORY_PERCENT_RESOURCE = "nvidia.com/gpumem-percentage"
"""HAMi's extended resource: the same in hundredths of the device."""
GPU_CORES_PERCENT_RESOURCE = "nvidia.com/gpucores"
"""HAMi's extended resource: hundredths of each requested GPU's compute units."""
GPU_RESOURCES = ("nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915", GPU_COUNT_ANNOTATION)
"""Extended resources that count whole devices, in the order in which they are looked for."""
GPU_MODEL_LABELS = (
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    f"{GROUP}/gpu-model",
    GPU_CARD_MODEL,
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
)
GPU_REPLICAS_LABEL = "nvidia.com/gpu.replicas"
"""How often each device is counted because it is time-sliced or shared by MPS."""
GPU_MEMORY_LABEL = "nvidia.com/gpu.memory"
"""MiB for each device, as GPU feature discovery writes it; may be absent (GB10 has none)."""
HOSTNAME_LABEL = "kubernetes.io/hostname"
