"""A process ends with an exit code and at most one line on stderr; a traceback means a bug.

Each row is a real process, since what is tested is the process.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from gpu_fleet.errors import InputError
from service_runtime.settings import SettingsWrong, settings_of_process
from tests.house.tree import ROOT
from tests.service_runtime.settings.planted import PlantedSettings

OPENING = """
import asyncio, sys
from gpu_fleet.errors import InputError, ServiceError
from service_runtime.process import Ending, execute

async def stubborn():
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def leaves_a_stray():
    global kept
    kept = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    return Ending(1, "stuck", "view")

async def service():
"""
CLOSING = """
sys.exit(execute("planted", service))
"""


def planted(body: str) -> subprocess.CompletedProcess[str]:
    """How a process ends whose service is this one line."""
    return subprocess.run(
        [sys.executable, "-c", f"{OPENING}    {body}\n{CLOSING}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("body", "code", "told"),
    [
        ('return Ending(0, "SIGTERM")', 0, ""),
        ('return Ending(1, "it broke; mend it", "view")', 1, "planted: view: it broke; mend it\n"),
        ('raise InputError("wrong", remedy="correct it")', 2, "planted: wrong; correct it\n"),
        ('raise ServiceError("no certificate")', 1, "planted: no certificate\n"),
        ("raise KeyboardInterrupt", 130, "planted: interrupted\n"),
        ("return await leaves_a_stray()", 1, "planted: view: stuck\n"),
    ],
    ids=["well", "part", "input", "service", "keyboard", "stray"],
)
def test_a_process_ends_with_its_code_and_line(body: str, code: int, told: str) -> None:
    """Whatever was foreseen is one line; a task that refuses to end does not keep the process."""
    ended = planted(body)

    assert (ended.returncode, ended.stderr) == (code, told)


def test_a_bug_keeps_its_traceback() -> None:
    """What nobody foresaw is not dressed up."""
    ended = planted("return 1 / 0")

    assert ended.returncode == 1
    assert ended.stderr.endswith("ZeroDivisionError: division by zero\n")


def test_a_process_takes_a_file_of_settings_and_nothing_else() -> None:
    """`--settings FILE` is the whole command line of a service."""
    assert PlantedSettings() == settings_of_process(PlantedSettings, [], {})
    with pytest.raises(SettingsWrong, match=r"nowhere\.toml: cannot be read"):
        settings_of_process(PlantedSettings, ["--settings", "nowhere.toml"], {})
    for arguments in (["--settings"], ["--port", "1"], ["a", "b", "c"]):
        with pytest.raises(InputError, match="give nothing, or --settings FILE"):
            settings_of_process(PlantedSettings, arguments, {})
