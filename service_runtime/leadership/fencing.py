"""The epoch on what a leader writes, so that a leader of the past is refused where it counts.

An election alone does not fence: a process may be stopped between asking whether it leads and
sending what it wants to write. So every write carries the epoch of its reign, and the API server
refuses one that is lower than what stands there, by one of the two rules below. Equal epochs pass,
because one reign writes often, and an epoch names one reign. This module must not send anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gpu_fleet.errors import InputError
from gpu_fleet.names import EPOCH_ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ANNOTATION_RULE", "SPEC_RULE", "epoch_of", "with_epoch"]

SPEC_RULE: Final = "!has(oldSelf.epoch) || (has(self.epoch) && self.epoch >= oldSelf.epoch)"
"""`x-kubernetes-validations` on the `spec` of a resource of ours that has an integer `epoch`.

`spec` has to be required: a rule is not asked about what is not there.
"""

_HAS = f"has({{0}}.metadata.annotations) && '{EPOCH_ANNOTATION}' in {{0}}.metadata.annotations"
_IS = f"int({{0}}.metadata.annotations['{EPOCH_ANNOTATION}'])"

ANNOTATION_RULE: Final = (
    f"!({_HAS.format('oldObject')}) || "
    f"({_HAS.format('object')} && {_IS.format('object')} >= {_IS.format('oldObject')})"
)
"""The same for objects of any kind, as a ValidatingAdmissionPolicy's expression on UPDATE."""


def with_epoch(document: Mapping[str, Any], epoch: int) -> dict[str, Any]:
    """The object with the epoch in its annotations; the one passed in stays as it is."""
    metadata = dict(document.get("metadata") or {})
    metadata["annotations"] = {**(metadata.get("annotations") or {}), EPOCH_ANNOTATION: str(epoch)}
    return {**document, "metadata": metadata}


def epoch_of(document: Mapping[str, Any]) -> int | None:
    """The epoch an object was last written in, None where no leader wrote it."""
    metadata = document.get("metadata") or {}
    text = (metadata.get("annotations") or {}).get(EPOCH_ANNOTATION)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise InputError(
            f"{text!r} is no epoch",
            remedy="remove the annotation, or write the epoch in decimal",
            field=f"{metadata.get('name', 'object')}: {EPOCH_ANNOTATION}",
        )
    return int(text)
