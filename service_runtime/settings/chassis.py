"""The settings that every service has, whatever it decides: what the chassis itself can be told.

A service lists the subjects it uses beside its own; this struct lists them all, so that they can be
printed and read about before any service exists. This module must hold no subject of its own.
"""

from __future__ import annotations

import msgspec

from service_runtime.kube.settings import KubeSettings
from service_runtime.leadership.settings import LeadershipSettings
from service_runtime.process.settings import ProcessSettings
from service_runtime.serve.settings import (
    AccessSettings,
    DrainSettings,
    LimitSettings,
    TlsSettings,
)
from service_runtime.telemetry.settings import LogSettings

__all__ = ["ChassisSettings"]


class ChassisSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every subject of the chassis."""

    log: LogSettings = LogSettings()
    process: ProcessSettings = ProcessSettings()
    kube: KubeSettings = KubeSettings()
    leadership: LeadershipSettings = LeadershipSettings()
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()
    drain: DrainSettings = DrainSettings()
    access: AccessSettings = AccessSettings()
