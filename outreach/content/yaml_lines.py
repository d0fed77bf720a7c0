"""YAML with line numbers: reading files that people edit, and saying where they are wrong."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from outreach.content.yaml_tree import Listed, Mapped
from outreach.content.yaml_tree import tree as parse
from outreach.errors import BadFile


def read_yaml(path: Path) -> Any:
    """The mapping in a YAML file, with line numbers for `line_of`; BadFile when it is missing, empty or not YAML."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise BadFile(path, 0, "there is no such file.", "Check its name and folder.") from None
    except OSError as error:
        raise BadFile(path, 0, f"cannot be read: {error.strerror}.", "It must be a readable file.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadFile(path, line, "these bytes are not UTF-8.", "Save the file as UTF-8.") from None
    tree = parse(path, text)
    if tree is None:
        raise BadFile(path, 0, "the file is empty.", "Start from the one that comes with the project.")
    if not isinstance(tree, dict):
        raise BadFile(path, 1, "these are not `word: value` lines.", "Start from the file that comes with the project.")
    return tree


def line_of(node: Any, key: Any = None) -> int:
    """The line (from 1) of a mapping or list, or of one key or position in it; the node's own when that is absent."""
    if isinstance(node, Mapped):
        return node.lines.get(key, node.line)
    if isinstance(node, Listed):
        return node.lines[key] if isinstance(key, int) and -len(node) <= key < len(node) else node.line
    return 0


def suggest(wrong: str, right: Collection[str]) -> str:
    """What would be right: the nearest word, else all of them."""
    words = [str(word) for word in right]
    near = get_close_matches(wrong.casefold(), words, n=1, cutoff=0.6)
    near = near or [word for word in words if len(wrong) > 2 and word.startswith(wrong.casefold())]
    if near:
        return f"Did you mean {near[0]}?"
    return f"It must be one of: {', '.join(right)}." if right else "There is none yet."
