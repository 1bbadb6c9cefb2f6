"""Each example runs offline with nothing but its folder, and prints what stands beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from simulations.recipes.demand import demand_csv
from simulations.recipes.fleet import fleet
from simulations.recipes.openb import nodes_csv, pods_csv
from simulations.recipes.pods import pods
from tests.examples.golden import EXAMPLES, EXPECTED, FOLDER, normalised, run_example

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_BYTES = 64 << 10


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_prints_what_it_promises(example: Path, tmp_path: Path) -> None:
    """If a policy changed on purpose, `python -m tests.examples` writes the output anew."""
    expected = (example / EXPECTED).read_text(encoding="utf-8")

    assert expected == normalised(run_example(example, tmp_path))


@pytest.mark.parametrize(("name", "count"), [("01-fill-a-cluster", 400), ("02-replay-a-day", 800)])
def test_the_inputs_are_the_recipes(name: str, count: int) -> None:
    """No row of anybody's trace: the README names the recipe, and it gives these files."""
    readme = (FOLDER / name / "README.md").read_text(encoding="utf-8")

    assert f"`fleet(16)` and `pods({count}, seed=3)`" in readme
    assert nodes_csv(fleet(16)) == (FOLDER / name / "nodes.csv").read_text(encoding="utf-8")
    assert pods_csv(pods(count, seed=3)) == (FOLDER / name / "pods.csv").read_text(encoding="utf-8")


def test_the_demand_is_the_recipes() -> None:
    """As above, for the series that is forecast."""
    folder = FOLDER / "03-forecast-demand"
    readme = (folder / "README.md").read_text(encoding="utf-8")

    assert "`demand_csv(14, seed=3)`" in readme
    assert demand_csv(14, seed=3) == (folder / "demand.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_small_and_explained(example: Path) -> None:
    """A README that says what to run, links that lead somewhere, and nothing large."""
    readme = (example / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", readme)

    assert "    ./run.sh\n" in readme
    assert all((example / link).exists() for link in links)
    assert all(path.stat().st_size <= LARGEST_BYTES for path in example.iterdir())
