"""Follows the certificate files, and serves on with what it has when they turn bad.

A handshake takes the credentials that are current when it begins; there is no moment without any.
This module must not touch connections: who holds an old one asks `current` for today's trust.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from gpu_fleet.errors import CertificateUnusable
from service_runtime.serve.credentials import Credentials, read_credentials

if TYPE_CHECKING:
    from service_runtime.serve.meters import CertificateMeters
    from service_runtime.serve.settings import TlsSettings
    from service_runtime.telemetry import Log
    from service_runtime.timing import Timing

__all__ = ["Rotation"]


class Rotation:
    """The credentials of now. Making one reads the files, or raises `CertificateUnusable`."""

    def __init__(
        self,
        settings: TlsSettings,
        *,
        clients: bool,
        timing: Timing,
        log: Log,
        meters: CertificateMeters,
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._timing = timing
        self._log = log
        self._meters = meters
        self._refused = ""
        self._looking = asyncio.Lock()
        self.current: Credentials = read_credentials(settings, clients=clients, now=timing.wall())
        meters.expiry.set(self.current.expires.timestamp())

    async def follow(self) -> None:
        """Look again and again until cancelled."""
        while True:
            await self._timing.sleep(self._settings.poll_interval_s)
            await self.look()

    async def look(self) -> None:
        """Serve what the files hold now, unless it cannot be served."""
        async with self._looking:  # else a slow look could undo what a later one found
            await self._look()

    async def _look(self) -> None:
        read = partial(
            read_credentials,
            self._settings,
            clients=self._clients,
            now=self._timing.wall(),
            known=self.current,
        )
        try:
            found = await asyncio.to_thread(read)
        except CertificateUnusable as error:
            self._refuse(str(error))
            return
        self._refused = ""
        if found is not self.current:
            self._serve(found)

    def _serve(self, found: Credentials) -> None:
        gone = not found.trust.lacks_none_of(self.current.trust)
        self.current = found
        self._meters.expiry.set(found.expires.timestamp())
        self._meters.reloads.add(result="served")
        self._log.event(
            "certificate_reloaded",
            serial=found.serial,
            expires=found.expires.isoformat(),
            authorities=len(found.trust.anchors),
            authority_removed=gone,
        )

    def _refuse(self, problem: str) -> None:
        if problem == self._refused:
            return  # told once; the expiry metric tells the rest
        self._refused = problem
        self._meters.reloads.add(result="refused")
        self._log.error(
            "certificate_refused",
            problem=problem,
            serving_on=self.current.serial,
            until=self.current.expires.isoformat(),
        )
