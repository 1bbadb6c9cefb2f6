"""The settings that every service has, whatever it decides: what the chassis itself can be told.

A service's settings inherit from this struct and add subjects of their own, so that an operator
finds the same words in every service. This module must not hold what only some service needs.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

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

__all__ = ["ChassisSettings", "PortSettings"]


class PortSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the two ports of a service are."""

    address: Annotated[
        str,
        Meta(description="Address both ports listen on; empty: every address of the pod."),
    ] = ""
    decision: Annotated[
        int,
        Meta(
            description="Port of the service's own protocol, for clients with a certificate; 0 "
            "takes any that is free and says in the log which.",
            ge=0,
            le=65_535,
        ),
    ] = 8443
    observation: Annotated[
        int,
        Meta(description="Port of health, metrics and explain; 0 as above.", ge=0, le=65_535),
    ] = 9443


class ChassisSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every subject of the chassis."""

    log: LogSettings = LogSettings()
    process: ProcessSettings = ProcessSettings()
    kube: KubeSettings = KubeSettings()
    leadership: LeadershipSettings = LeadershipSettings()
    ports: PortSettings = PortSettings()
    tls: TlsSettings = TlsSettings()
    limits: LimitSettings = LimitSettings()
    drain: DrainSettings = DrainSettings()
    access: AccessSettings = AccessSettings()

    def __post_init__(self) -> None:
        """A drain has to fit into what the process gives a part to end."""
        whole_s = self.drain.notice_s + self.drain.finish_s
        if whole_s >= self.process.stop_limit_s:
            raise ValueError(
                f"drain.notice_s + drain.finish_s ({whole_s:g}) must be less than"
                f" process.stop_limit_s ({self.process.stop_limit_s:g}): the drain would be cut"
            )
