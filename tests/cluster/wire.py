"""Plain HTTPS to an API server, for tests that arrange and look: objects as JSON, as they are.

The tests' own hands must not depend on the client under test, so this is urllib3 and nothing of
ours. It must not retry, watch or hide a refusal, and nothing that is shipped may import it.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import urllib3

from gpu_fleet.errors import KubeError, KubeUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from service_runtime.kube.api import Resource

__all__ = ["KubeWire", "Object"]

Object = dict[str, Any]
"""An object of the API as JSON; a test looks at the two or three fields it is about."""

CONNECTIONS = 16
"""More do not create faster: the server and this share two cores."""
ANSWER_LIMIT_S = 60.0


class KubeWire:
    """An API server as one user sees it; used from many threads at once."""

    def __init__(
        self,
        server: str,
        ca: Path,
        *,
        certificate: tuple[Path, Path] | None = None,
        token: str | None = None,
    ) -> None:
        self.server = server
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        certificate_file, key_file = certificate or (None, None)
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            ca_certs=str(ca),
            cert_file=certificate_file and str(certificate_file),
            key_file=key_file and str(key_file),
            timeout=ANSWER_LIMIT_S,
            retries=False,
        )

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        content_type: str = "application/json",
    ) -> bytes:
        """The answer's body; a `KubeError` with the status when it is not a success."""
        headers = {**self._headers, "Content-Type": content_type}
        sent = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, self.server + path, body=sent, headers=headers)
        except urllib3.exceptions.HTTPError as problem:
            raise KubeUnreachable(
                f"{method} {path}: no answer ({type(problem).__name__}: {problem})"
            ) from problem
        if answer.status >= 400:
            told = answer.data.decode(errors="replace")[:1_000]
            raise KubeError(f"{method} {path}: {answer.status}: {told}", status=answer.status)
        return answer.data

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object:
        """One object."""
        return _read(self.ask("GET", resource.path(namespace, name)))

    def items(
        self, resource: Resource, namespace: str | None = None, query: str = ""
    ) -> list[Object]:
        """All objects of a kind; `query` such as `labelSelector=app%3Dx`."""
        path = resource.path(namespace) + (f"?{query}" if query else "")
        listed: list[Object] = _read(self.ask("GET", path))["items"]
        return listed

    def create(self, resource: Resource, body: Object, namespace: str | None = None) -> Object:
        """The object as stored."""
        return _read(self.ask("POST", resource.path(namespace), body))

    def create_all(
        self, resource: Resource, bodies: Iterable[Object], namespace: str | None = None
    ) -> None:
        """Create many at once, over as many connections as help; the first refusal is raised."""
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            asked = [threads.submit(self.create, resource, body, namespace) for body in bodies]
            for answer in asked:
                answer.result()

    def merge(
        self,
        resource: Resource,
        name: str,
        patch: Object,
        namespace: str | None = None,
        subresource: str | None = None,
    ) -> Object:
        """The object after a merge patch, where null removes a field."""
        path = resource.path(namespace, name, subresource)
        kind = "application/merge-patch+json"
        return _read(self.ask("PATCH", path, patch, content_type=kind))

    def delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        """Ask for its end, without grace."""
        self.ask("DELETE", resource.path(namespace, name), {"gracePeriodSeconds": 0})

    def delete_all(self, resource: Resource, namespace: str | None = None, query: str = "") -> None:
        """Ask for the end of all that a query selects."""
        path = resource.path(namespace) + (f"?{query}" if query else "")
        self.ask("DELETE", path, {"gracePeriodSeconds": 0})


def _read(body: bytes) -> Object:
    read: Object = json.loads(body)
    return read
