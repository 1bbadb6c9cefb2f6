"""Throughput tables and load times, as people publish them, make a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpu_fleet.errors import InputError
from simulations.agents.demand import demand_for
from simulations.commands.agents import read_scenario
from simulations.readers.measured import read_latencies, read_throughputs
from simulations.recipes.agents import FETCH_BYTES_PER_S, agents
from simulations.recipes.load_times import LoadTimes
from simulations.recipes.measured_agents import measured_agents

HEADER = "gpu,consolidated,job_type,scale_factor,steps_per_s\n"
SPEEDS = (
    "old,1,Net (batch 1),1,3.0\n"
    "new,1,Net (batch 1),1,4.5\n"
    "new,0,Net (batch 1),1,4.5\n"
    "new,1,Net (batch 2),1,2\n"
    "old,1,Net (batch 2),1,0\n"
    "new,1,Net (batch 2),4,8\n"
    "old,1,Rank,1,5\n"
    "new,1,Rank,1,2.5\n"
)
TRACES = Path(__file__).parents[4] / "shared" / "traces"


def _file(tmp_path: Path, text: str, name: str = "in.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_speeds_are_shares_of_the_best_model(tmp_path: Path) -> None:
    """Also where the older model is the faster one; 0 steps keeps the job off that model."""
    scenario = measured_agents(read_throughputs(_file(tmp_path, HEADER + SPEEDS)).steps_per_s)

    assert {kind.agent.name: dict(kind.agent.speed_permille) for kind in scenario.kinds} == {
        "net-batch-1": {"old": 667, "new": 1_000},
        "net-batch-2": {"new": 1_000},
        "rank": {"old": 1_000, "new": 500},
    }


def test_what_is_not_used_is_counted(tmp_path: Path) -> None:
    """Rows for several GPUs, and rows of jobs that fail."""
    assert read_throughputs(_file(tmp_path, HEADER + SPEEDS)).notes == (
        "1 row for several GPUs: not used",
        "1 row with 0 steps a second: the job is kept off there",
    )


def test_a_family_shares_its_base_weights(tmp_path: Path) -> None:
    """Each job has an adapter of its own beside them."""
    scenario = measured_agents(
        read_throughputs(_file(tmp_path, HEADER + SPEEDS)).steps_per_s,
        LoadTimes(base_s=(10.0, 20.0), adapter_s=(1.0, 2.0, 3.0)),
    )

    assert [kind.agent.datasets for kind in scenario.kinds] == [
        ("net-base", "net-batch-1-adapter"),
        ("net-base", "net-batch-2-adapter"),
        ("rank-base", "rank-adapter"),
    ]
    assert scenario.dataset_bytes["net-base"] == 10 * FETCH_BYTES_PER_S
    assert scenario.dataset_bytes["rank-adapter"] == 3 * FETCH_BYTES_PER_S


def test_few_sizes_stand_for_many_observations() -> None:
    """The middles of equal shares: extremes neither rule nor vanish with more names."""
    observed = [float(second) for second in range(100)]

    assert LoadTimes.spread(observed, 1) == [50.0]
    assert LoadTimes.spread(observed, 4) == [12.0, 37.0, 62.0, 87.0]
    assert LoadTimes.spread([7.0], 3) == [7.0, 7.0, 7.0]


def test_load_times_are_picked_out_of_the_latencies(tmp_path: Path) -> None:
    """Milliseconds become seconds; what is not a load time is named."""
    text = (
        "t_s,component,value_ms\n1,base_model_load,2000\n2,lora_load,500\n3,gateway_queue_wait,9\n"
    )
    read = read_latencies(_file(tmp_path, text))

    assert (read.base_s, read.adapter_s) == ((2.0,), (0.5,))
    assert read.notes == ("latencies not used: gateway_queue_wait",)


def test_the_bundled_agents_take_observed_load_times(tmp_path: Path) -> None:
    """The largest weights get the longest time; data of domains stays as it is."""
    path = _file(tmp_path, "component,value_ms\nbase_model_load,1000\nbase_model_load,9000\n")
    changed, plain = read_scenario(latencies=str(path)), agents()

    assert changed.dataset_bytes["counsel-weights"] == 9 * FETCH_BYTES_PER_S
    assert changed.dataset_bytes["auditor-weights"] == 1 * FETCH_BYTES_PER_S
    assert changed.dataset_bytes["law-corpus"] == plain.dataset_bytes["law-corpus"]


def test_a_fleet_that_cannot_run_an_agent_is_refused(tmp_path: Path) -> None:
    """Its tasks would wait for ever."""
    nodes = _file(tmp_path, "sn,cpu_milli,memory_mib,gpu,model\nn,96000,393216,4,T4\n")
    scenario = read_scenario(nodes=str(nodes))

    with pytest.raises(InputError, match="agent counsel fits on no node of in"):
        demand_for(scenario, 0.8)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("gpu,job_type,steps_per_s\n", ":1: scale_factor: the column is missing"),
        (HEADER, ":1: no job runs on one GPU"),
        (HEADER + "a,1,J,1,nan\n", ":2: steps_per_s: 'nan' is not a number"),
        (HEADER + "a,1,J,1,-1\n", ":2: steps_per_s: '-1' is not possible"),
        (HEADER + "a,1,J,1,1e300\n", ":2: steps_per_s: '1e300' is not possible"),
        (HEADER + "a,1,J,1,\n", ":2: steps_per_s: is empty"),
        (HEADER + "a,1,J,0,1\n", ":2: scale_factor: '0' is not possible"),
        (HEADER + ",1,J,1,1\n", ":2: gpu: '' is not a name"),
        (HEADER + "a,1,J,1,1\na,1,J,1,2\n", ":3: job_type: 'J' on 'a' is already on line 2"),
        (HEADER + "a,1,J,1\n", ":2: 4 cells under 5 columns"),
    ],
)
def test_a_bad_throughput_table_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    """File, line, field, and what to do."""
    path = _file(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_throughputs(path)

    assert str(caught.value).startswith(f"{path}{complaint}")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("component,value\n", ":1: value_ms: the column is missing"),
        ("component,value_ms\nlora_load,3\n", ":1: component: no row has component"),
        ("component,value_ms\nbase_model_load,inf\n", ":2: value_ms: 'inf' is not a number"),
    ],
)
def test_a_bad_list_of_latencies_is_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    """The same for latencies."""
    path = _file(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_latencies(path)

    assert str(caught.value).startswith(f"{path}{complaint}")


@pytest.mark.traces
def test_published_measurements_are_read() -> None:
    """26 jobs on three GPU models; recommenders are faster on the older ones."""
    throughputs = TRACES / "perf" / "gavel_throughputs.csv.gz"
    latencies = TRACES / "autoscale" / "genai_latencies.csv.gz"
    if not throughputs.exists() or not latencies.exists():
        pytest.skip("shared/traces is not here")
    scenario = read_scenario(str(throughputs), str(latencies))
    speeds = {kind.agent.name: kind.agent.speed_permille for kind in scenario.kinds}

    assert len(speeds) == 26
    assert speeds["recommendation-batch-size-1024"]["v100"] < 500
    assert speeds["resnet-50-batch-size-64"]["v100"] == 1_000
    assert 1e9 < min(scenario.dataset_bytes.values()) < max(scenario.dataset_bytes.values()) < 1e11
