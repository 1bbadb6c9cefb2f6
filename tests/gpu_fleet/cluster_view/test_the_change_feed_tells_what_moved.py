"""The feed names the columns that changed since a version, and says when that is too long ago.

A cache trusts it with every answer it gives, so it must name each changed column and may name one
twice. These tests must not depend on how long the feed is, but for the ones that fill it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpu_fleet import cluster_view
from tests.fleets import node, shape, view_of

if TYPE_CHECKING:
    from gpu_fleet.cluster_view import ClusterView


def moved(view: ClusterView, change: int) -> list[int] | None:
    """The columns as a list."""
    changed = view.changes_since(change)
    return None if changed is None else changed.tolist()


def test_each_change_names_its_column() -> None:
    """Adding, updating, placing, releasing, holding and removing are changes; asking is none."""
    view = view_of([node("a"), node("b")])
    one = view.intern(shape(gpus=1))
    data = view.define_dataset("weights", 10)
    start = view.changes
    view.place("p", one, 1, (0,))
    view.update_node(node("a", cpus=4))
    view.release("p")
    view.hold(0, data)
    view.hold(0, data)
    view.add_node(node("c"))
    view.snapshot()
    view.remove_node("c")

    assert moved(view, start) == [1, 0, 1, 0, 2, 2]
    assert moved(view, view.changes) == []
    assert moved(view, view.changes - 1) == [2]


def test_a_version_rises_with_its_column() -> None:
    """The column that changed last has the view's version."""
    view = view_of([node("a"), node("b")])
    view.update_node(node("a", cpus=4))

    assert view.changes == view.version[0]
    assert view.version[1] < view.version[0]


def test_the_feed_wraps_around_in_order() -> None:
    """Beyond its end it begins again, and readers see the changes in their order."""
    view = view_of([node("a"), node("b"), node("c")])
    length = cluster_view._FEED
    view.changes = length - 2  # as if that many changes had happened
    for slot in (0, 1, 2, 1, 0):
        view._note(slot)

    assert moved(view, length - 2) == [0, 1, 2, 1, 0]
    assert moved(view, length) == [2, 1, 0]
    assert moved(view, length + 1) == [1, 0]


def test_a_reader_that_fell_behind_is_told() -> None:
    """As many changes as the feed holds are known exactly; one more is too long ago."""
    view = view_of([node("a")])
    start = view.changes
    for _ in range(cluster_view._FEED):
        view._note(0)

    known = view.changes_since(start)

    assert known is not None
    assert len(known) == cluster_view._FEED

    view._note(0)

    assert view.changes_since(start) is None
