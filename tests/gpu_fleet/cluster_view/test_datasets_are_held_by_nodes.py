"""Which node holds which dataset, and how large each is.

These tests must not know what a dataset is for: images, weights and data are all bytes here.
"""

from __future__ import annotations

from tests.fleets import node, view_of


def test_a_dataset_is_defined_before_it_is_held() -> None:
    """Nobody holds it at first; holding is by node and can end."""
    view = view_of([node("a"), node("b")])
    weights = view.define_dataset("weights", 1_000)

    assert weights == view.dataset("weights")
    assert view.dataset("other") is None
    assert not view.held[:, weights].any()

    view.hold(view.slot("b"), weights)

    assert view.held[:2, weights].tolist() == [False, True]

    view.hold(view.slot("b"), weights, held=False)

    assert not view.held[:, weights].any()


def test_a_size_is_corrected_by_defining_it_again() -> None:
    """The number stays, the size is the latest."""
    view = view_of([node("a")])
    weights = view.define_dataset("weights", 1_000)

    assert weights == view.define_dataset("weights", 2_000)
    assert view.dataset_bytes[weights] == 2_000


def test_many_datasets_do_not_disturb_each_other() -> None:
    """The table grows with them, and what was held stays held."""
    view = view_of([node("a"), node("b")])
    numbers = [view.define_dataset(f"set-{at}", at) for at in range(9)]
    for number in numbers[::2]:
        view.hold(0, number)
    more = view.define_dataset("one-more", 1)

    expected = [True, False] * 4 + [True]

    assert expected == [bool(view.held[0, number]) for number in numbers]
    assert not view.held[0, more]
    assert view.dataset_bytes.tolist() == [*range(9), 1]
