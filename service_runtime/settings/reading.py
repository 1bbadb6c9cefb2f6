"""Makes settings of what was given: defaults, then the file, then the environment, key by key.

Every mistake is found and told at once, each with its place, what was found and what would be
right; so that nobody has to start a pod five times to correct five keys. A value that a later
source overrides must be right all the same. Nothing here may know what a setting is for.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from gpu_fleet.errors import InputError
from service_runtime.settings.keys import PREFIX, SEPARATOR, Key, Subject, subjects_of
from service_runtime.settings.sources import SettingsFile, our_variables, read_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

__all__ = ["DEFAULT", "Effective", "SettingsWrong", "read_settings"]

DEFAULT = "default"
"""The origin of a value that nobody gave."""

_MOST_SHOWN = 60

S = TypeVar("S", bound=msgspec.Struct)
S_co = TypeVar("S_co", bound=msgspec.Struct, covariant=True)


class SettingsWrong(InputError):
    """One or more settings cannot be used; `problems` has every one, the text a line for each."""

    def __init__(self, problems: Sequence[InputError]) -> None:
        first = problems[0]
        super().__init__(
            first.problem,
            remedy=first.remedy,
            file=first.file,
            line=first.line,
            field=first.field,
        )
        self.problems = tuple(problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return str(self.problems[0])
        listed = "".join(f"\n  {problem}" for problem in self.problems)
        return f"{len(self.problems)} settings are wrong:{listed}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles by its problems."""
        return type(self), (self.problems,)


@dataclass(frozen=True, slots=True)
class Effective(Generic[S_co]):
    """The settings that hold, and where each value came from."""

    settings: S_co
    origins: Mapping[str, str]
    """By the key's path: `default`, `FILE:LINE` or the variable's name."""


@dataclass(frozen=True, slots=True)
class _Given:
    key: Key
    value: object
    origin: str
    file: str | None = None
    line: int | None = None

    def wrong(self, problem: str, remedy: str) -> InputError:
        field = self.key.path if self.file else f"{self.origin} ({self.key.path})"
        return InputError(problem, remedy=remedy, field=field, file=self.file, line=self.line)


def read_settings(
    kind: type[S], *, file: str | None, environment: Mapping[str, str]
) -> Effective[S]:
    """The settings of this kind, or `SettingsWrong` with everything that is wrong with them."""
    subjects = subjects_of(kind)
    problems: list[InputError] = []
    given: list[_Given] = []
    if file is not None:
        try:
            given += _collect(_in_file(read_file(file), subjects), problems)
        except InputError as error:
            problems.append(error)
    given += _collect(_in_environment(our_variables(environment), subjects), problems)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for one in given:
        checked = _checked(one)
        if isinstance(checked, InputError):
            problems.append(checked)
        else:
            values[one.key.path], origins[one.key.path] = checked.value, one.origin
    wrong = {_subject_of(problem.field) for problem in problems if problem.field}
    built = {
        name: _built(subject, values, problems)
        for name, subject in subjects.items()
        # A subject with a wrong key is not judged as a whole: that would only confuse.
        if name not in wrong
    }
    settings = None if problems else _whole(kind, built, problems)
    if settings is None or problems:
        raise SettingsWrong(problems)
    paths = (key.path for subject in subjects.values() for key in subject.keys.values())
    return Effective(settings, {path: origins.get(path, DEFAULT) for path in paths})


def _collect(found: Iterable[_Given | InputError], problems: list[InputError]) -> Iterator[_Given]:
    for one in found:
        if isinstance(one, InputError):
            problems.append(one)
        else:
            yield one


def _subject_of(field: str) -> str:
    """Of `serve.port`, and of `SYNTHSCALE_SERVE__PORT (serve.port)`."""
    return field.rpartition("(")[2].partition(".")[0]


def _in_file(file: SettingsFile, subjects: Mapping[str, Subject]) -> Iterator[_Given | InputError]:
    for name, table in file.tables.items():
        subject = subjects.get(name)
        line = file.line(name)
        if subject is None:
            remedy = _suggestion(name, subjects, "there is")
            kind = "table" if isinstance(table, dict) else "key"
            yield InputError(
                f"no such {kind}", remedy=remedy, file=file.path, line=line, field=name
            )
        elif not isinstance(table, dict):
            remedy = f"write [{name}] on a line of its own, and its keys below"
            yield InputError(
                "must be a table", remedy=remedy, file=file.path, line=line, field=name
            )
        else:
            yield from _in_table(file, subject, table)


def _in_table(
    file: SettingsFile, subject: Subject, table: Mapping[str, object]
) -> Iterator[_Given | InputError]:
    for name, value in table.items():
        key = subject.keys.get(name)
        line = file.line(subject.name, name)
        if key is not None:
            yield _Given(key, value, file.place(subject.name, name), file.path, line)
            continue
        yield InputError(
            "no such key",
            remedy=_suggestion(name, subject.keys, f"{subject.name} has"),
            file=file.path,
            line=line,
            field=f"{subject.name}.{name}",
        )


def _in_environment(
    variables: Mapping[str, str], subjects: Mapping[str, Subject]
) -> Iterator[_Given | InputError]:
    known = {key.variable: key for subject in subjects.values() for key in subject.keys.values()}
    for name, text in sorted(variables.items()):
        key = known.get(name)
        if key is None:
            yield InputError(
                "no setting has this environment variable", remedy=_nearest(name, known), field=name
            )
        else:
            yield _Given(key, text, name)


def _nearest(variable: str, known: Collection[str]) -> str:
    bare = [name.removeprefix(PREFIX) for name in known]
    near = difflib.get_close_matches(variable.removeprefix(PREFIX), bare, n=1)
    if near:
        return f"did you mean {PREFIX}{near[0]}?"
    return f"unset it, or write {PREFIX}SUBJECT{SEPARATOR}KEY"


def _suggestion(name: str, known: Collection[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"{otherwise} {', '.join(known)}"


@dataclass(frozen=True, slots=True)
class _Checked:
    value: object


def _checked(given: _Given) -> _Checked | InputError:
    key, from_text = given.key, given.file is None
    if from_text and not key.form.plain:
        return given.wrong(
            "too much for an environment variable", f"write [{key.subject}] {key.name} in a file"
        )
    raw = given.value
    if from_text and key.form.listed:
        raw = [part.strip() for part in str(raw).split(",")] if raw else []
    try:
        value = msgspec.convert(raw, key.type, strict=not from_text)
    except msgspec.ValidationError as error:
        at = str(error).partition(" - at `$")[2].rstrip("`")
        shown = f"{_shown(given.value)} does not fit" + (f" (at {at})" if at else "")
        return given.wrong(shown, f"it must be: {key.form.words}")
    if isinstance(value, float) and not math.isfinite(value):
        return given.wrong(f"{_shown(given.value)} does not fit", f"it must be: {key.form.words}")
    return _Checked(value)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _built(
    subject: Subject, values: Mapping[str, object], problems: list[InputError]
) -> msgspec.Struct | None:
    missing = [key for key in subject.keys.values() if key.required and key.path not in values]
    problems += [
        InputError(
            "must be given",
            remedy=f"set it in the file, or as {key.variable}; it is: {key.form.words}",
            field=key.path,
        )
        for key in missing
    ]
    if missing:
        return None
    ours = {key.name: values[key.path] for key in subject.keys.values() if key.path in values}
    try:
        return subject.type(**ours)
    except ValueError as error:
        problems.append(_disagree(subject.name, error))
        return None


def _whole(
    kind: type[S], built: Mapping[str, msgspec.Struct | None], problems: list[InputError]
) -> S | None:
    try:
        return kind(**built)
    except ValueError as error:
        problems.append(_disagree(None, error))
        return None


def _disagree(field: str | None, error: ValueError) -> InputError:
    return InputError(str(error), remedy="change one of them", field=field)
