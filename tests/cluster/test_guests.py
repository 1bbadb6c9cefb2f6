"""What `make cluster WITH=...` may name: every guest can join, a wrong name tells the right ones.

No guest is started here; their own tests do that.
"""

from __future__ import annotations

import pytest

from gpu_fleet.errors import InputError
from tests.cluster.shell import GUESTS, guests_named


def test_every_guest_of_the_table_can_join() -> None:
    """Each name leads to something that starts beside a control plane."""
    guests = guests_named(",".join(GUESTS), GUESTS)

    assert len(guests) == len(GUESTS)
    assert all(callable(guest) for guest in guests)


@pytest.mark.parametrize(("names", "count"), [("", 0), ("karpenter", 1), (" prometheus ,", 1)])
def test_a_list_is_read_as_a_person_writes_it(names: str, count: int) -> None:
    """Nothing is no guest, and blanks do not matter."""
    assert count == len(guests_named(names, GUESTS))


def test_a_wrong_name_tells_the_right_ones() -> None:
    """A guest that there is not is an error before anything starts."""
    with pytest.raises(InputError, match=r"WITH: kedar: no such guest.*karpenter, prometheus"):
        guests_named("kedar", GUESTS)
