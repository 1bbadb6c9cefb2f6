"""Which services there are, and where the struct of each one's settings lives.

The table holds names only, so that reading it imports no service; a service is imported when its
settings are asked for. This module must not import a room.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import msgspec

from gpu_fleet.errors import InputError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SERVICES", "settings_of"]

SERVICES: Mapping[str, str] = {
    "chassis": "service_runtime.settings.chassis:ChassisSettings",
    "extender": "scheduler_extender.service.settings:ServiceSettings",
}
"""A service's name, and `module:Struct` of its settings."""


def settings_of(service: str, services: Mapping[str, str] = SERVICES) -> type[msgspec.Struct]:
    """The struct of a service's settings, imported now."""
    target = services.get(service)
    if target is None:
        raise InputError(
            "no such service", remedy=f"there is {', '.join(sorted(services))}", field=service
        )
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise ServiceError(
            f"the settings of {service} need the Python package {error.name!r}, which is not"
            " installed; install synthscale[service]"
        ) from error
    if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
        raise ServiceError(f"{target} is no struct of settings; correct the table of services")
    return found
