"""Whatever bytes come, an answer goes out or one typed error does: nothing else, ever.

Valid bodies are mutated and noise is drawn; both entries and both verbs are asked.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import InputError
from scheduler_extender.answers import Entry
from scheduler_extender.wire import decode_names, decode_pod, decode_request
from tests.scheduler_extender.calls import args, extender_of, gpu_node, share_pod

VALID = args(share_pod("p", 600), ["n0", "n1"])
NOISE = (b"", b"null", b"[]", b"{", b'"', b"\xff", b"\x00", b"1e999", b'{"items":1}', b"[[" * 500)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid body with a piece cut out and another put in."""
    begin = draw(st.integers(0, len(VALID)))
    end = draw(st.integers(begin, min(len(VALID), begin + 40)))
    return VALID[:begin] + draw(st.sampled_from(NOISE) | st.binary(max_size=6)) + VALID[end:]


@st.composite
def with_a_wrong_part(draw: st.DrawFn) -> bytes:
    """A body of which one part, anywhere in it, is something else."""
    body = json.loads(VALID)
    at = body
    for _ in range(draw(st.integers(0, 5))):
        inner = [key for key, value in at.items() if isinstance(value, dict) and value]
        if not inner:
            break
        at = at[draw(st.sampled_from(inner))]
    at[draw(st.sampled_from(sorted(at)))] = draw(JSON)
    return json.dumps(body).encode()


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.one_of(mutated(), with_a_wrong_part(), st.binary(max_size=64)))
def test_every_body_is_answered(body: bytes) -> None:
    """With JSON, whatever it was; and a problem is told where there is one."""
    calls = extender_of(gpu_node("n0"), gpu_node("n1"))
    for entry in Entry:
        answer = json.loads(calls.filter(entry, body, 0).body)
        ranked = json.loads(calls.prioritize(entry, body, 0).body)

        assert {"Nodes", "NodeNames", "FailedNodes", "FailedAndUnresolvableNodes", "Error"} == set(
            answer
        )
        assert isinstance(ranked, list)


@pytest.mark.parametrize("decode", [decode_request, decode_pod, decode_names])
@pytest.mark.parametrize("noise", NOISE)
def test_noise_is_one_typed_error(decode: object, noise: bytes) -> None:
    """Each decoder raises `InputError` alone, or finds nothing wrong with an empty list."""
    try:
        found = decode(noise)  # type: ignore[operator]
    except InputError:
        return

    assert (noise, found) == (b"[]", ())


def test_a_node_named_twice_is_told() -> None:
    """Scores of one host would add up."""
    reply = extender_of().filter(Entry.SCORER, args(share_pod("p", 600), ["n0", "n0"]), 0)

    assert "names a node twice" in json.loads(reply.body)["Error"]
