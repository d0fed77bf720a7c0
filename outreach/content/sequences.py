"""Sequences out of YAML: every mistake named with file, line, step, and what would be right."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from outreach.content.step_reader import StepReader
from outreach.content.yaml_lines import read_yaml, suggest
from outreach.domain.sequence import Sequence, Step
from outreach.errors import BadFile, BadInput


@dataclass
class BadSequence(BadFile):
    """All the mistakes of one file; path, line, what and remedy are those of the first."""

    mistakes: tuple[BadFile, ...] = ()

    def __str__(self) -> str:
        return "\n".join(str(mistake) for mistake in self.mistakes)


def load(path: Path, known: Collection[str] | None = None) -> Sequence:
    """The sequence in a YAML file. `known`: the message keys that have templates; None leaves that unchecked.

    Raises BadSequence (a BadFile) with every mistake found.
    """
    tree = read_yaml(path)
    reader = StepReader(path, known)
    steps = reader.steps(tree)
    if reader.mistakes:
        first = reader.mistakes[0]
        raise BadSequence(path, first.line, first.what, first.remedy, tuple(reader.mistakes))
    return Sequence(str(tree["name"]), _digest(steps), tuple(steps))


def find(folder: Path, name: str) -> Path:
    """The file of the sequence `name` in a folder; BadInput with the nearest name when there is none."""
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        raise BadInput(f'There is no sequence "{name}" in {folder.name}/. {suggest(name, names)}')
    return folder / f"{name}.yaml"


def _digest(steps: Iterable[Step]) -> str:
    rules = json.dumps([asdict(step) for step in steps], default=str, sort_keys=True)
    return hashlib.sha256(rules.encode()).hexdigest()
