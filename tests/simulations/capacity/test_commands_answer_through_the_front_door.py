"""`capacity fit` and `capacity size`, as they are typed: JSON, words, files, one line of error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from simulations.decision_log import parse
from tests.simulations.commands.door import knock, small_cluster

if TYPE_CHECKING:
    from tests.simulations.commands.door import Told

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
PRICES = """\
name,cpu_milli,memory_mib,gpu,model,cost_per_hour,limit
two,16000,65536,2,T4,2.5,
four,32000,131072,4,T4,4.4,
none,16000,65536,0,,0.7,
"""


class Desk:
    """A folder with a small cluster and a price list, and the two commands."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        small_cluster(folder)
        self.nodes, self.pods = str(folder / "nodes.csv"), str(folder / "pods.csv")
        self.prices = str(folder / "prices.csv")
        (folder / "prices.csv").write_text(PRICES, encoding="utf-8")

    def fit(self, *words: object) -> Told:
        """`capacity fit` on the cluster."""
        return knock(self._capsys, "capacity", "fit", "--nodes", self.nodes, *words)

    def size(self, *words: object) -> Told:
        """`capacity size` of the pods."""
        files = ("--pods", self.pods, "--offerings", self.prices)
        return knock(self._capsys, "capacity", "size", *files, *words)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Desk:
    """See `Desk`."""
    return Desk(tmp_path, capsys)


def checked(told: Told, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The spec and the row of an answer that keeps to its schema, every field written down."""
    content = json.loads(told.out)
    schema = json.loads((REFERENCE / f"capacity-{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(content, schema, jsonschema.Draft202012Validator)
    known = schema["properties"]
    [row] = content["rows"]
    assert told.code == 0
    assert content["spec"].keys() <= known["spec"]["properties"].keys()
    assert row.keys() == known["rows"]["items"]["properties"].keys()
    return content["spec"], row


@pytest.mark.parametrize(
    ("words", "pods"),
    [
        (("--cpu", "500m", "--gpus", "1"), 8),
        (("--cpu", "1", "--gpu-milli", "500"), 16),
        (("--gpus", "4"), 2),
        (("--cpu", "16"), 5),
        (("--memory", "64Gi", "--gpu-models", "T4|P100", "--gpu-memory", "8Gi"), 4),
        (("--cpu", "1", "--gpus", "1", "--policy", "best-fit"), 8),
        (("--cpu", "0.0001", "--memory", "100Gi"), 2),
    ],
)
def test_fit_by_flags(words: tuple[str, ...], pods: int, desk: Desk) -> None:
    """Two nodes of 32 CPU, 128 GiB and 4 T4, and one of 16 CPU and 64 GiB."""
    _, row = checked(desk.fit(*words, "--json", "-"), "fit")

    assert row["pods"] == pods
    assert sum(row["stops_by_reason"].values()) == 3


def test_fit_by_name(desk: Desk) -> None:
    """The shape of a pod that is in a file; pod-2 wants 2 whole GPUs."""
    told = desk.fit("--pod", "pod-2", "--pods", desk.pods, "--json", "-")
    spec, row = checked(told, "fit")

    assert (spec["pod"]["name"], spec["pod"]["gpu_count"]) == ("pod-2", 2)
    assert row["pods"] == 4


def test_fit_after_others(desk: Desk) -> None:
    """Pods of another file come first."""
    _, row = checked(desk.fit("--gpus", "1", "--also", desk.pods, "--json", "-"), "fit")

    assert row["also_placed"] + row["also_unplaced"] == 60
    assert row["also_unplaced"] > 0
    assert row["pods"] == 0


def test_size(desk: Desk) -> None:
    """The cost is that of the nodes, and the bound is below it."""
    _, row = checked(desk.size("--json", "-"), "size")
    prices = {"two": 2.5, "four": 4.4, "none": 0.7}

    assert row["cost_per_hour"] == pytest.approx(
        sum(prices[name] * many for name, many in row["offerings"].items())
    )
    assert row["lower_bound_cost_per_hour"] <= row["cost_per_hour"]


def test_size_out_of_some(desk: Desk) -> None:
    """`--only` keeps offerings by name."""
    _, row = checked(desk.size("--only", "f*,none", "--json", "-"), "size")

    assert row["offerings"].keys() <= {"four", "none"}


def test_words_say_what_the_json_says(desk: Desk) -> None:
    """A planner reads the same figures."""
    _, row = checked(desk.size("--json", "-"), "size")
    told = desk.size()

    assert f"cost {row['cost_per_hour']:,.2f} an hour" in told.out
    assert "hold all 60 pods" in told.out
    assert "nothing is set aside for the system" in told.out


@pytest.mark.parametrize("name", ["fit", "size"])
def test_files_are_written(name: str, desk: Desk) -> None:
    """The page, the log with its SHA-256, and the JSON."""
    out = {kind: desk.folder / f"out.{kind}" for kind in ("json", "html", "log")}
    words = ("--json", out["json"], "--report", out["html"], "--log", out["log"])
    told = desk.fit("--gpus", "1", *words) if name == "fit" else desk.size(*words)
    entries = list(parse(out["log"].read_text(encoding="utf-8").splitlines()))
    page = out["html"].read_text(encoding="utf-8")

    assert told.code == 0
    assert "SHA-256" in told.out
    assert json.loads(out["json"].read_text(encoding="utf-8"))["command"] == f"capacity {name}"
    assert sum(entry.event == "place" for entry in entries) == (8 if name == "fit" else 60)
    assert "What stops the next pod" in page if name == "fit" else "What to buy" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


FIT = [
    ("", "asks for nothing"),
    ("--cpu many", "--cpu: 'many' is not a Kubernetes quantity"),
    ("--cpu=-1", "--cpu: '-1' is not possible"),
    ("--memory 1e30", "--memory: '1e30' is not possible"),
    ("--gpus 17", "--gpus: 17 is not possible"),
    ("--gpus=-1", "--gpus: -1 is not possible"),
    ("--gpus 0 --gpu-milli 500", "--gpus: is 0 beside options about its GPUs"),
    ("--gpus 2 --gpu-milli 500", "--gpu-milli: several GPUs are always whole"),
    ("--gpu-milli 0", "--gpu-milli: 0 is not possible"),
    ("--gpu-milli 1001", "--gpu-milli: 1001 is not possible"),
    ("--gpu-models T4||P100", "--gpu-models: 'T4||P100' has an empty model"),
    ("--gpu-models H9000", "--gpu-models: no node has model 'H9000'"),
    ("--gpus 1 --policy bestfit", "unknown policy 'bestfit'"),
    ("--gpus 1 --policy all", "--policy: 9 policies are named"),
    ("--gpus 1 --kernels fast", "say auto, numpy or compiled"),
    ("--pod pod-1", "--pods: is needed beside --pod"),
    ("--pods {pods}", "--pod: is needed beside --pods"),
    ("--pod pod-1 --pods {pods} --cpu 1", "--cpu: describes a pod that --pod names already"),
    ("--pod pod-x --pods {pods}", "--pod: there is no pod 'pod-x'"),
    ("--gpus 1 --also {nodes}", "give it as --nodes"),
]
SIZE = [
    ("--budget-seconds=-1", "--budget-seconds: -1 is not possible"),
    ("--budget-seconds nan", "--budget-seconds: nan is not possible"),
    ("--region east", "--region: the price list has no column region"),
    ("--only x*", "--only: no offering has a name like 'x*'"),
    ("--only two", "no offering can hold pod pod-4"),
    ("--policy ,", "names no policy"),
]


@pytest.mark.parametrize(
    ("name", "words", "expected"), [("fit", *row) for row in FIT] + [("size", *row) for row in SIZE]
)
def test_what_cannot_be_answered(name: str, words: str, expected: str, desk: Desk) -> None:
    """One line, exit code 2, and no file."""
    before = sorted(desk.folder.iterdir())
    split = words.format(pods=desk.pods, nodes=desk.nodes).split()
    outputs = ("--json", desk.folder / "o.json", "--report", desk.folder / "o.html")
    told = (desk.fit if name == "fit" else desk.size)(*split, *outputs)

    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("synthscale: ")
    assert told.err.count("\n") == 1
    assert expected in told.err
    assert before == sorted(desk.folder.iterdir())


@pytest.mark.parametrize("name", ["fit", "size"])
def test_every_field_is_in_the_reference(name: str) -> None:
    """docs/reference/formats.md explains each field of a row with its unit."""
    formats = (REFERENCE / "formats.md").read_text(encoding="utf-8")
    part = formats.split(f"### `capacity {name}`")[1].split("###")[0]
    schema = json.loads((REFERENCE / f"capacity-{name}.schema.json").read_text(encoding="utf-8"))
    rows = schema["properties"]["rows"]["items"]["properties"]

    assert [field for field in rows if f"`{field}`" not in part] == []
