"""What a person meets at the front door: the screen, one line for each failure, an exit code.

The commands are planted ones, so that the door is tested apart from the rooms behind it.
No test here may depend on what a real command computes.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from synthscale import __version__
from synthscale.__main__ import main
from synthscale.front_door import COMMANDS, GROUPS, CommandLine, compose
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from typer.core import TyperGroup

PLANTED = "tests.house.planted_commands"


def screen() -> TyperGroup:
    """A screen of planted commands, some alone and some in a group."""
    return compose(
        [
            CommandLine(("go",), "Succeed.", f"{PLANTED}:succeeds"),
            CommandLine(("three",), "Say three.", f"{PLANTED}:says_three"),
            CommandLine(("fail", "input"), "Bad input.", f"{PLANTED}:bad_input"),
            CommandLine(("fail", "run"), "Failed run.", f"{PLANTED}:failed_run"),
            CommandLine(("fail", "ctrl-c"), "Ctrl-C.", f"{PLANTED}:interrupted"),
            CommandLine(("fail", "import"), "Ctrl-C.", f"{PLANTED}:interrupted_on_an_import"),
            CommandLine(("fail", "bug"), "A bug.", f"{PLANTED}:our_bug"),
            CommandLine(("fail", "room"), "No room.", "no_such_room.commands:command"),
            CommandLine(("fail", "module"), "No module.", "simulations.no_such_module:command"),
        ],
        {"fail": "Fail in some way."},
    )


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ("three", 3, ""),
        ("fail input", 2, "pods.csv:3: cpu_milli: a negative request; write 0 or more"),
        ("fail run", 1, "time went backwards; report the seed"),
        ("fail ctrl-c", 130, "interrupted"),
        ("fail import", 130, "interrupted"),
        ("fail room", 1, "no_such_room"),
        ("fail module", 1, "simulations.no_such_module"),
        ("go --pods many", 2, "Invalid value for '--pods'"),
        ("go --pod 1", 2, "--pods"),
        ("go extra", 2, "extra"),
        ("gone", 2, "Did you mean 'go'?"),
        ("fail inputs", 2, "Did you mean 'input'?"),
    ],
)
def test_each_ending_has_its_code_and_one_line(
    words: str, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was foreseen ends with its exit code and at most one line that names the cause."""
    ended = main(words.split(), screen())
    told = capsys.readouterr().err

    assert code == ended
    assert line in told
    assert told.count("\n") == bool(line)
    assert told.startswith("synthscale: ") == bool(line)


def test_a_command_runs_with_its_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that was loaded late parses its own options and returns zero."""
    assert main(["go", "--pods", "7"], screen()) == 0
    assert capsys.readouterr().out == "placed 7\n"


def test_a_command_explains_its_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    """Help of one command comes from its room, word for word, brackets included."""
    assert main(["go", "--help"], screen()) == 0

    told = capsys.readouterr().out

    assert "Usage: synthscale go [OPTIONS]" in told
    assert "How many [1..9]." in told


def test_a_bug_keeps_its_traceback() -> None:
    """What nobody foresaw is not dressed up as a message."""
    with pytest.raises(ZeroDivisionError):
        main(["fail", "bug"], screen())


def test_absent_rooms_do_not_break_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """The screen lists commands whose rooms are not installed."""
    assert main(["fail", "--help"], screen()) == 0
    assert "No room." in capsys.readouterr().out


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints what the package says of itself."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"synthscale {__version__}\n"


def test_every_line_of_help_fits_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    """No help line is cut short on a terminal of 80 columns."""
    for words in ([], *([group] for group in GROUPS)):
        main([*words, "--help"])

    told = capsys.readouterr().out

    assert "..." not in told.replace("[ARGS]...", "")
    for line in COMMANDS:
        assert line.help in told


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_names_its_commands(group: str) -> None:
    """The one screen tells what is inside a group without opening it."""
    inside = [line.words[1] for line in COMMANDS if line.words[0] == group]

    assert inside
    assert all(name in GROUPS[group] for name in inside)


def test_a_reader_that_leaves_is_met_with_silence() -> None:
    """`synthscale --help | true` prints no traceback."""
    with subprocess.Popen(
        [sys.executable, "-m", "synthscale", "--help"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()

    assert told == b""
    assert process.returncode == 1
