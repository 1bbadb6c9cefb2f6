"""Every label, annotation, taint and resource name that crosses the Kubernetes API.

They are written once, here, because a typing error in a label is silent.
This module must hold constants only.
"""

from __future__ import annotations

__all__ = [
    "AGENT_LABEL",
    "DATASETS_ANNOTATION",
    "EPOCH_ANNOTATION",
    "GPUSHARE_COUNT_RESOURCE",
    "GPUSHARE_INDEX_ANNOTATION",
    "GPUSHARE_MEMORY_GIB_RESOURCE",
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
    "GPU_SHARE_INDEX_ANNOTATION",
    "GPU_SHARE_MEMORY_MIB_RESOURCE",
    "GPU_SHARE_MILLI_RESOURCE",
    "GROUP",
    "HAMI_DEVICES_ANNOTATION",
    "HAMI_REGISTER_ANNOTATION",
    "HOSTNAME_LABEL",
    "SHARE_RESOURCES",
]

GROUP = "synthscale.io"
AGENT_LABEL = f"{GROUP}/agent"
"""On a pod: which agent (AgentProfile) it runs."""
DATASETS_ANNOTATION = f"{GROUP}/datasets"
"""On a pod: comma-separated names of the datasets it reads."""
EPOCH_ANNOTATION = f"{GROUP}/epoch"
"""On an object that a leader writes: the epoch of its reign, in decimal."""
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
GPU_SHARE_MILLI_RESOURCE = f"{GROUP}/gpu-milli"
"""Our own extended resource: thousandths of one GPU, or whole thousands for several GPUs.

A node advertises 1000 for each physical GPU (`status.capacity`, by a device plugin or a patch).
"""
GPU_SHARE_MEMORY_MIB_RESOURCE = f"{GROUP}/gpu-memory-mib"
"""Our own extended resource: MiB of device memory on each GPU it gets.

A node advertises the memory of all its GPUs together; they are taken to be alike.
"""
GPU_SHARE_INDEX_ANNOTATION = f"{GROUP}/gpu-index"
"""On a bound pod: the devices that whoever hands them out gave it, joined with dashes."""
HAMI_REGISTER_ANNOTATION = "hami.io/node-nvidia-register"
"""On a node: HAMi's device plugin tells each GPU's id, memory and health (JSON, or `a,b:c,d:`)."""
HAMI_DEVICES_ANNOTATION = "hami.io/vgpu-devices-allocated"
"""On a pod: what HAMi gave it, `ID,VENDOR,MIB,CORES:` a device and `;` a container."""
GPUSHARE_MEMORY_GIB_RESOURCE = "aliyun.com/gpu-mem"
"""gpushare's extended resource: GiB of one GPU's memory; a node advertises that of all its GPUs."""
GPUSHARE_COUNT_RESOURCE = "aliyun.com/gpu-count"
"""gpushare's extended resource on a node: how many GPUs it shares out."""
GPUSHARE_INDEX_ANNOTATION = "ALIYUN_COM_GPU_MEM_IDX"
"""On a pod: the GPU that gpushare's device plugin gave it."""
SHARE_RESOURCES = (
    GPU_MEMORY_MIB_RESOURCE,
    GPU_MEMORY_PERCENT_RESOURCE,
    GPU_CORES_PERCENT_RESOURCE,
    GPUSHARE_MEMORY_GIB_RESOURCE,
    GPU_SHARE_MILLI_RESOURCE,
    GPU_SHARE_MEMORY_MIB_RESOURCE,
)
"""Extended resources that ask for part of a GPU: what the guard is asked about."""
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
