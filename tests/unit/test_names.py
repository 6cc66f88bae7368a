"""A class or constant has one meaning: its name is defined once in ``src``."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
SAME_EVERYWHERE = {"app", "logger", "T", "__all__"}
"""The command groups of Typer, the loggers of the handlers, type variables."""


def names(module: ast.Module) -> Iterator[str]:
    """The public classes and module-level constants of a module."""
    for node in module.body:
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_no_public_class_or_constant_name_is_defined_twice() -> None:
    modules = defaultdict(list)
    for path in sorted(SRC.rglob("*.py")):
        for name in names(ast.parse(path.read_text())):
            modules[name].append(str(path.relative_to(SRC)))
    assert len(modules) > 300
    twice = {name: paths for name, paths in modules.items() if len(paths) > 1 and not name.startswith("_")}
    assert twice.keys() <= SAME_EVERYWHERE, twice
