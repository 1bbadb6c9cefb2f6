"""Kubeconfig files for tests that serve what answers them. It must not know who serves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["write_kubeconfig"]


def write_kubeconfig(path: Path, server: str, user: Mapping[str, Any], **cluster: object) -> Path:
    """One cluster, one user, one context; JSON is YAML."""
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "me", "user": dict(user)}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }
    path.write_text(json.dumps(body), encoding="utf-8")
    return path
