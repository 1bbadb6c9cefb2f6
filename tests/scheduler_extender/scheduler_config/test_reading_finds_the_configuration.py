"""What can be read: plain files, documents among others, ConfigMaps; and what is refused, and how.

A refusal names the file, the line and the field, since the person reading it edits that file.
"""

from __future__ import annotations

import contextlib
import textwrap

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import InputError
from scheduler_extender.scheduler_config.reading import read

SMALL = """\
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
extenders:
- urlPrefix: https://x
  weight: 3
"""
CONFIG_MAP = f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: gpu-scheduler
data:
  notes: nothing here
  config.yaml: |
{textwrap.indent(SMALL, "    ")}"""


def test_a_plain_file_is_read() -> None:
    """The configuration comes with the lines of its parts."""
    (reading,) = read(SMALL, "f.yaml")

    assert reading.source == "f.yaml"
    assert reading.config.extenders[0].weight == 3
    assert reading.line("extenders[0].weight") == 5


def test_a_configuration_is_found_among_other_documents() -> None:
    """Other kinds in the file are passed over, and lines count from the top of the file."""
    text = f"kind: Namespace\n---\n---\n{SMALL}"
    (reading,) = read(text, "f.yaml")

    assert reading.line("extenders[0].weight") == 8


def test_a_config_map_is_opened() -> None:
    """The text inside is read, told by the ConfigMap's name and key, with lines of the file."""
    (reading,) = read(CONFIG_MAP, "f.yaml")

    assert reading.source == "f.yaml (ConfigMap gpu-scheduler, config.yaml)"
    assert reading.line("extenders[0].weight") == 12
    assert "weight: 3" in CONFIG_MAP.splitlines()[11]


def test_every_configuration_in_a_file_is_read() -> None:
    """Two of them are judged apart."""
    assert len(read(f"{SMALL}---\n{CONFIG_MAP}", "f.yaml")) == 2


def test_the_line_of_something_absent_is_that_of_what_holds_it() -> None:
    """A key that ought to be there is looked for around where it would stand."""
    (reading,) = read(SMALL, "f.yaml")

    assert reading.line("extenders[0].tlsConfig.caFile") == 4
    assert reading.line("clientConnection.qps") is None


def test_a_null_is_a_key_that_is_not_there() -> None:
    """As in Go, `extenders:` without a value is no list at all."""
    (reading,) = read(SMALL.partition("- url")[0], "f.yaml")

    assert reading.config.extenders == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds nothing, but no KubeSchedulerConfiguration"),
        ("kind: Pod\n---\nkind: Node\n", "holds Pod, Node, but no"),
        ("a: b: c", "f.yaml:1: is not YAML"),
        ("- a\n- b\n", "is not a mapping"),
        ("{", "f.yaml:1: is not YAML"),
        ("a: !!python/object:os.system x", "is not plain YAML: could not determine a constructor"),
        ("a: 2026-13-45", "is not plain YAML: month must be in"),
        ("a: &x [*x]", "is nested or repeated without end"),
        ("a: " + "[" * 5000, "is nested or repeated without end"),
        (SMALL + "kind: Twice\n", "f.yaml:6: kind: is written twice"),
        (SMALL + "  weight: 4\n", "f.yaml:6: extenders[0].weight: is written twice"),
        (SMALL.replace("weight: 3", "weight: heavy"), "f.yaml:5: extenders[0].weight: expected"),
        (SMALL.replace("weight: 3", "httpTimeout: 5"), "extenders[0].httpTimeout: expected `str`"),
        (SMALL.replace("kubescheduler", "kubeproxy"), "f.yaml:1: has apiVersion 'kubeproxy"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(text: str, told: str) -> None:
    """The complaint is one line with the file, the place, the problem and the remedy."""
    with pytest.raises(InputError) as caught:
        read(text, "f.yaml")

    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(deadline=None)  # a shared machine is slow now and then
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["kind", "extenders", "profiles", "plugins", "weight"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_any_yaml_is_read_or_refused(value: object) -> None:
    """Whatever a file holds, it is read or refused as input; nothing else is raised."""
    document = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "profiles": value,
    }
    with contextlib.suppress(InputError):
        assert read(yaml.safe_dump(document), "f.yaml")
