"""The loops that are compiled when the extra `fast` is there.

Each says in loops what its policy says in numpy, and gives the same whole numbers; a test compares
them, also as plain Python with the compiler switched off (NUMBA_DISABLE_JIT=1).
They take arrays and numbers only. This module must not hold a rule that numpy does not have too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet.compiled import kernel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["fgd_totals", "least_loss_totals"]

_INFEASIBLE = 9_223_372_036_854_775_807
_NEVER = -(1 << 40)
_WHOLE = 1_000


@kernel
def fgd_totals(
    columns: NDArray[np.int64],
    request: NDArray[np.int64],
    refusals: NDArray[np.uint8],
    class_refusals: NDArray[np.uint8],
    classes: NDArray[np.int64],
    weights: NDArray[np.int64],
    steps: NDArray[np.int64],
    cpu_free: NDArray[np.int64],
    memory_free: NDArray[np.int64],
    gpu_free: NDArray[np.int64],
    gpu_memory_free: NDArray[np.int64],
    out: NDArray[np.int64],
    device_out: NDArray[np.int64],
) -> None:
    """Totals of `Fgd`: the negated points of the best device, `_INFEASIBLE` where it does not fit.

    `device_out` gets that device, the first of equals; it means nothing for whole GPUs.
    """
    cpu, memory, count, milli, device_memory, width = request
    for index in range(len(columns)):
        at = columns[index]
        out[index] = _INFEASIBLE
        if refusals[at] != 0 or cpu_free[at] < cpu or memory_free[at] < memory:
            continue
        open_count = 0
        total = 0
        for device in range(width):
            total += gpu_free[at, device]
            if gpu_free[at, device] >= milli and (
                device_memory == 0 or gpu_memory_free[at, device] >= device_memory
            ):
                open_count += 1
        if open_count < count:
            continue
        best = -1
        last_free = -1
        share = count == 1 and milli < _WHOLE
        before = 0
        # One pass says what fragmentation is before; then one for each choice of device.
        for choice in range(-1, width if share else 1):
            if choice >= 0 and share:
                free = gpu_free[at, choice]
                if free < milli or free == last_free:
                    continue
                if device_memory > 0 and gpu_memory_free[at, choice] < device_memory:
                    continue
                last_free = free
            cpu_left = cpu_free[at] if choice < 0 else cpu_free[at] - cpu
            total_left = total if choice < 0 else total - count * milli
            fragmentation = 0
            for c in range(len(weights)):
                need = classes[2, c]
                if (
                    classes[1, c] == 0
                    or cpu_left < classes[0, c]
                    or (class_refusals[classes[3, c], at] != 0)
                ):
                    fragmentation += weights[c] * total_left
                    continue
                enough = 0
                too_small = 0
                opened = 0
                for device in range(width):
                    free = gpu_free[at, device]
                    if choice >= 0:
                        if share:
                            if device == choice:
                                free -= milli
                        elif (
                            opened < count
                            and free >= milli
                            and (device_memory == 0 or gpu_memory_free[at, device] >= device_memory)
                        ):
                            free -= milli
                            opened += 1
                    if free >= need:
                        enough += 1
                    else:
                        too_small += free
                fragmentation += weights[c] * (too_small if enough >= classes[1, c] else total_left)
            if choice < 0:
                before = fragmentation
                continue
            gain = before - fragmentation
            low, high = 0, len(steps)
            while low < high:
                middle = (low + high) // 2
                if steps[middle] <= gain:
                    low = middle + 1
                else:
                    high = middle
            if low > best:
                best = low
                device_out[index] = choice
        out[index] = -best


@kernel
def least_loss_totals(
    columns: NDArray[np.int64],
    request: NDArray[np.int64],
    refusals: NDArray[np.uint8],
    hole: NDArray[np.int64],
    cpu_total: NDArray[np.int64],
    device_count: NDArray[np.int64],
    cpu_free: NDArray[np.int64],
    memory_free: NDArray[np.int64],
    gpu_free: NDArray[np.int64],
    gpu_memory_free: NDArray[np.int64],
    order_key: NDArray[np.int64],
    gang_hosts: NDArray[np.bool_],
    cpu_rates: NDArray[np.int64],
    out: NDArray[np.int64],
) -> None:
    """Totals of `LeastLoss` as far as `stranding`, `gang_room` and `reserve` go."""
    cpu, memory, count, milli, device_memory, width = request[:6]
    lifetime_s, reserve, memory_rate, gang_price, gang = request[6:]
    for index in range(len(columns)):
        at = columns[index]
        out[index] = _INFEASIBLE
        if refusals[at] != 0 or cpu_free[at] < cpu or memory_free[at] < memory:
            continue
        open_count = 0
        free_milli = 0
        whole = 0
        best = _NEVER
        best_free = _WHOLE
        for device in range(width):
            free = gpu_free[at, device]
            free_milli += free
            if free == _WHOLE:
                whole += 1
            if free >= milli and (
                device_memory == 0 or gpu_memory_free[at, device] >= device_memory
            ):
                open_count += 1
                worth = hole[free - milli] - hole[free]
                if worth > best or (worth == best and free < best_free):
                    best, best_free = worth, free
        if open_count < count:
            continue
        change = best if count == 1 else 0
        taken = 0
        for _ in range(count if count > 1 else 0):
            best, best_device = _NEVER, -1
            for device in range(width):
                free = gpu_free[at, device]
                if (taken >> device) & 1 or free < milli:
                    continue
                if device_memory > 0 and gpu_memory_free[at, device] < device_memory:
                    continue
                if hole[free - milli] - hole[free] > best:
                    best, best_device = hole[free - milli] - hole[free], device
            taken |= 1 << best_device
            change += best
        # Room lost to holes, then GPU left without CPU or memory, after less before.
        lost = -change - (count * hole[milli] if count > 0 else 0)
        free = free_milli * 1000
        left = free - count * milli * 1000
        own_rate = (device_count[at] * 1_000_000 << 20) // cpu_total[at] if cpu_total[at] > 0 else 0
        without_cpu_before, without_cpu_after = 0, 0
        for needed_rate in cpu_rates:
            if needed_rate > 0:
                rate = max(needed_rate, own_rate)
                without_cpu_before += max(0, free - (cpu_free[at] * rate >> 20))
                without_cpu_after += max(0, left - ((cpu_free[at] - cpu) * rate >> 20))
        if len(cpu_rates) > 0:
            lost += without_cpu_after // len(cpu_rates) - without_cpu_before // len(cpu_rates)
        if memory_rate > 0:
            lost += max(0, left - ((memory_free[at] - memory) * memory_rate >> 20))
            lost -= max(0, free - (memory_free[at] * memory_rate >> 20))
        if gang_price > 0 and gang_hosts[at]:
            opened = count
            if count == 1 and milli < _WHOLE and best_free < _WHOLE:
                opened = 0
            squares = whole * whole - (whole - opened) * (whole - opened)
            lost += squares * (gang_price * 1000) // gang
        out[index] = (lost + ((order_key[at] >> 43) * reserve >> 20)) * lifetime_s
