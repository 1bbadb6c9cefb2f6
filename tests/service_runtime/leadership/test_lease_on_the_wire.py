"""A Lease is read as client-go reads it, and what is not ours in it is written back untouched.

Bodies here are as API servers send them; that a real one takes ours is told in
`test_turns_with_client_go`.
"""

from __future__ import annotations

import msgspec
import pytest

from gpu_fleet.errors import KubeMalformed
from service_runtime.leadership.election import LeaseRecord
from service_runtime.leadership.lease import LeaseName, read_lease, write_lease

NAME = LeaseName("fleet", "autoscaler")
STORED = {
    "kind": "Lease",
    "apiVersion": "coordination.k8s.io/v1",
    "metadata": {"name": "autoscaler", "resourceVersion": "77", "labels": {"a": "b"}},
    "spec": {"holderIdentity": "go", "strategy": "OldestEmulationVersion", "leaseTransitions": 3},
}
RECORD = LeaseRecord("ann", 15, "2026-03-01T12:00:00.000000Z", "2026-03-01T12:00:02.000000Z", 4)


def test_what_a_lease_leaves_out_is_read_as_client_go_reads_it() -> None:
    """No holder is a released Lease, no count is 0, and no duration is none."""
    lease = read_lease(b'{"metadata":{"resourceVersion":"1"},"spec":{}}', NAME)

    assert LeaseRecord("", None, "", "", 0) == lease.record
    assert lease.version == "1"


def test_only_what_an_election_says_is_written_over() -> None:
    """Version, labels and the fields of coordinated election stay; the record reads back."""
    over = read_lease(msgspec.json.encode(STORED), NAME)
    body = write_lease(RECORD, NAME, over)
    document = msgspec.json.decode(body)

    assert read_lease(body, NAME).record == RECORD
    assert STORED["metadata"] == document["metadata"]
    assert document["spec"]["strategy"] == "OldestEmulationVersion"


def test_a_new_lease_has_its_name_and_nothing_more() -> None:
    """No version: creating is refused where one stands already."""
    document = msgspec.json.decode(write_lease(RECORD, NAME, None))

    assert document["metadata"] == {"name": "autoscaler", "namespace": "fleet"}
    assert document["apiVersion"] == "coordination.k8s.io/v1"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"metadata":{}}', b'{"metadata":'])
def test_an_answer_that_is_no_lease_is_named(body: bytes) -> None:
    """The error says of which Lease, and what to do."""
    with pytest.raises(KubeMalformed, match="Lease fleet/autoscaler: an answer that is no Lease"):
        read_lease(body, NAME)
