"""A wrong setting is named with its place, what was found and what would be right; all at once."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gpu_fleet.errors import InputError
from service_runtime.settings import SettingsWrong, read_settings
from tests.service_runtime.settings.planted import NeedySettings, PlantedSettings, read, wrong

if TYPE_CHECKING:
    from pathlib import Path

PORT = "it must be: whole number >= 1, <= 65535"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[serve]\nprot = 8443\n", "2: serve.prot: no such key; did you mean port?"),
        (
            "[wait]\nwhatever = 1\n",
            "2: wait.whatever: no such key; wait has shortest_s, longest_s",
        ),
        ("[sevre]\nport = 1\n", "1: sevre: no such table; did you mean serve?"),
        ("port = 1\n", "1: port: no such key; there is serve, wait"),
        ("\nserve = 3\n", ("2: serve: must be a table; write [serve] on a line of its own, and its"
                          " keys below")),
        ("[serve]\nport = 0\n", f"2: serve.port: 0 does not fit; {PORT}"),
        ('[serve]\nport = "80"\n', f"2: serve.port: '80' does not fit; {PORT}"),
        ("[serve]\nport = 80.5\n", f"2: serve.port: 80.5 does not fit; {PORT}"),
        ("[serve]\nport = true\n", f"2: serve.port: True does not fit; {PORT}"),
        ("serve.port = 0\n", f"1: serve.port: 0 does not fit; {PORT}"),
        ("serve = { port = 0 }\n", f"1: serve.port: 0 does not fit; {PORT}"),
        (
            '[serve]\nmode = "of"\n',
            "2: serve.mode: 'of' does not fit; it must be: one of off, on",
        ),
        (
            '[serve]\nhosts = ["a", 1]\n',
            ("2: serve.hosts: ['a', 1] does not fit (at [1]); it must be: list of text,"
            " at most 3 values"),
        ),
        ("[wait]\nshortest_s = inf\n", ("2: wait.shortest_s: inf does not fit; it must be:"
                                       " number >= 0")),
        ("[serve]\nport = 1\nport = 2\n", ("3: this key or table is there already; keep one of"
                                          " them")),
        ("[serve]\n[serve]\n", "2: this key or table is there already; keep one of them"),
        ("[serve\nport = 1\n", ("1: not TOML at column 7 (Expected ']' at the end of a table"
                               " declaration); correct it there")),
        ("a = " + "[" * 5_000, "not TOML"),
        ("a = " + "1" * 5_000, "not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_line_key_and_remedy(tmp_path: Path, text: str, told: str) -> None:
    """Each mistake in a file is one line: file, line, key, what is wrong, what to do."""
    problems = wrong(tmp_path, text)

    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].startswith("settings.toml:")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "SYNTHSCALE_SERVE__PORT",
            "80x",
            f"SYNTHSCALE_SERVE__PORT (serve.port): '80x' does not fit; {PORT}",
        ),
        (
            "SYNTHSCALE_SERVE__PORT",
            "",
            f"SYNTHSCALE_SERVE__PORT (serve.port): '' does not fit; {PORT}",
        ),
        (
            "SYNTHSCALE_SERVE__VERBOSE",
            "yes",
            (
                "SYNTHSCALE_SERVE__VERBOSE (serve.verbose): 'yes' does not fit;"
                " it must be: true or false"
            ),
        ),
        (
            "SYNTHSCALE_WAIT__SHORTEST_S",
            "nan",
            (
                "SYNTHSCALE_WAIT__SHORTEST_S (wait.shortest_s): 'nan' does not fit;"
                " it must be: number >= 0"
            ),
        ),
        (
            "SYNTHSCALE_SERVE_PORT",
            "80",
            (
                "SYNTHSCALE_SERVE_PORT: no setting has this environment variable;"
                " did you mean SYNTHSCALE_SERVE__PORT?"
            ),
        ),
        (
            "SYNTHSCALE_ZZZ",
            "hunter2",
            (
                "SYNTHSCALE_ZZZ: no setting has this environment variable;"
                " unset it, or write SYNTHSCALE_SUBJECT__KEY"
            ),
        ),
        (
            "SYNTHSCALE_SERVE__BACKENDS",
            "a",
            (
                "SYNTHSCALE_SERVE__BACKENDS (serve.backends): too much for an environment variable;"
                " write [serve] backends in a file"
            ),
        ),
    ],
)
def test_a_wrong_variable_is_named_by_itself(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    """The error names the variable, not only the key; of an unknown one the value is not shown."""
    assert wrong(tmp_path, None, {name: text}) == [told]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Mistakes of file and environment come together, also where another source would win."""
    problems = wrong(
        tmp_path,
        "[serve]\nprot = 1\nport = 0\n[wait]\nlongest_s = 0.5\n",
        {"SYNTHSCALE_SERVE__PORT": "8", "SYNTHSCALE_SERVE__MODE": "x"},
    )
    begins = (
        "settings.toml:2: serve.prot: ",
        "settings.toml:3: serve.port: ",
        "SYNTHSCALE_SERVE__MODE (serve.mode): ",
        "wait: longest_s (0.5) ",
    )

    assert len(problems) == len(begins)
    assert all(told.startswith(begin) for told, begin in zip(problems, begins, strict=True))


def test_the_text_has_a_line_for_each_problem(tmp_path: Path) -> None:
    """What a person reads begins with the count; one problem alone is one line."""
    with pytest.raises(SettingsWrong) as two:
        read(tmp_path, "[serve]\nprot = 1\nport = 0\n")
    with pytest.raises(SettingsWrong) as one:
        read(tmp_path, "[serve]\nprot = 1\n")

    assert str(two.value).splitlines()[0] == "2 settings are wrong:"
    assert len(str(two.value).splitlines()) == 3
    assert len(str(one.value).splitlines()) == 1
    assert str(pickle.loads(pickle.dumps(two.value))) == str(two.value)  # noqa: S301 - our own


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "[wait]\nlongest_s = 0.5\n",
            "wait: longest_s (0.5) is below shortest_s; change one of them",
        ),
        (
            '[serve]\nmode = "off"\n[wait]\nlongest_s = 200\n',
            "serve.mode is off, so wait.longest_s must be at most 100; change one of them",
        ),
    ],
)
def test_values_that_disagree_are_told(tmp_path: Path, text: str, told: str) -> None:
    """A rule between keys names the subject; one between subjects tells itself."""
    assert wrong(tmp_path, text) == [told]


def test_a_key_without_a_default_must_be_given() -> None:
    """What has no default is asked for, with both ways to give it."""
    given = {"SYNTHSCALE_CLUSTER__NAME": "a"}
    effective = read_settings(NeedySettings, file=None, environment=given)

    assert effective.settings.cluster.name == "a"
    with pytest.raises(SettingsWrong, match=r"cluster.name: must be given; .*CLUSTER__NAME"):
        read_settings(NeedySettings, file=None, environment={})


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (str, "cannot be read (No such file or directory)"),
        (lambda path: path.mkdir(), "cannot be read (Is a directory)"),
        (lambda path: path.symlink_to(path), "cannot be read (Too many levels of symbolic links)"),
        (lambda path: path.write_bytes(b"a\n\xff"), ":2: not UTF-8; save it as UTF-8"),
        (lambda path: path.write_bytes(b" " * (1 << 20) + b" "), "longer than 1048576 bytes"),
    ],
    ids=["missing", "folder", "loop", "bytes", "huge"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, make: object, told: str) -> None:
    """A missing, unreadable or foreign file is an error of its own, and says which file."""
    path = tmp_path / "settings.toml"
    make(path)  # type: ignore[operator]

    with pytest.raises(SettingsWrong) as caught:
        read_settings(PlantedSettings, file=str(path), environment={})
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    """A file this user may not read says so; the superuser, who may, reads it."""
    path = tmp_path / "settings.toml"
    path.write_text("[serve]\nport = 0\n", encoding="utf-8")
    path.chmod(0)
    told = "0 does not fit" if os.geteuid() == 0 else "Permission denied"

    with pytest.raises(SettingsWrong, match=told):
        read_settings(PlantedSettings, file=str(path), environment={})


@pytest.mark.parametrize("name", ["settings.yaml", "settings.yml", "settings.json"])
def test_another_language_is_refused_by_name(name: str) -> None:
    """Whoever mounts YAML is told the language before its syntax."""
    with pytest.raises(SettingsWrong, match="settings are written in TOML"):
        read_settings(PlantedSettings, file=name, environment={})


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=200,
    deadline=None,
)
@given(
    st.text(alphabet="[]serve.port=\n1\"'{}# ", max_size=60) | st.text(max_size=30),
    st.dictionaries(
        st.sampled_from(["SYNTHSCALE_SERVE__PORT", "SYNTHSCALE_SERVE__HOSTS", "SYNTHSCALE_X"]),
        st.text(max_size=12),
    ),
)
def test_nothing_a_person_writes_crashes(
    tmp_path: Path, text: str, environment: dict[str, str]
) -> None:
    """Any file and any variables are settings or an `InputError`, never anything else."""
    try:
        read(tmp_path, text, environment)
    except InputError as error:
        told = str(error)
        assert told
