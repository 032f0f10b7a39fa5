"""Read from libraries' sources which attributes their classes give themselves, and which names are their methods.

Run ``python benchmarks/make_attribute_lists.py FOLDER`` where FOLDER holds unpacked wheels of several versions, one
folder each (``scikit_learn-1.9.1/sklearn/...``); it rewrites ``allow_lists/attributes/*.json``. Nothing is imported:
classes, bases and assignments are read from the syntax tree, so that old versions need no old Python. The result is
what a pickle of such an object may set by name; read the difference before it is committed.
"""

from __future__ import annotations

import ast
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

LISTS = Path(__file__).parent.parent / "src/weighbridge/checks/model_scan/allow_lists"
LIBRARIES = {
    "sklearn": "scikit_learn", "scipy": "scipy", "pandas": "pandas", "torch": "torch", "xgboost": "xgboost",
    "lightgbm": "lightgbm",
}  # fmt: skip
WITH_ATTRIBUTES = ("class", "dict-class", "array-class", "string-dtype", "array-backed")
VERSION = "2026-11-29.1"


@dataclass
class Class:
    """What one class of a library says about itself, over all versions that were read."""

    bases: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)


@dataclass
class Module:
    """One module: its classes, and where the names come from that it imports."""

    name: str
    package: str
    tree: ast.Module
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)


def read_modules(root: Path, library: str) -> dict[str, Module]:
    """Parse every module of one version of a library."""
    modules = {}
    for path in sorted((root / library).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if package else parts)
        try:
            tree = ast.parse(path.read_bytes())
        except SyntaxError:  # written for a newer Python than this one
            print("not read:", path)
            continue
        module = Module(name, name if package else ".".join(parts[:-1]), tree)
        _fill(module)
        modules[name] = module
    return modules


def _fill(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            start = module.package.split(".")
            prefix = start[: len(start) - node.level + 1] if node.level else []
            source = ".".join([*prefix, *([node.module] if node.module else [])])
            for alias in node.names:
                module.imports[alias.asname or alias.name] = (source, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.imports[alias.asname or alias.name.partition(".")[0]] = (alias.name, "")
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            module.classes.setdefault(node.name, node)
        # What a function of a module assigns to an object that it was given (``estimator.coef_ = ...``).
        for target in _targets(node):
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                module.shared.add(target.attr)


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets):
            found = list(targets)
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.For(target=target):
            found = [target]
        case ast.With(items=items):
            found = [item.optional_vars for item in items if item.optional_vars is not None]
        case _:
            return []
    flat: list[ast.expr] = []
    while found:
        target = found.pop()
        if isinstance(target, ast.Tuple | ast.List):
            found += target.elts
        elif isinstance(target, ast.Starred):
            found.append(target.value)
        else:
            flat.append(target)
    return flat


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def read_class(node: ast.ClassDef, module: Module) -> Class:
    """Read one class: attributes that anything assigns, parameters of ``__init__``, methods."""
    found = Class(attributes=set(module.shared))
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            found.attributes.add(item.target.id)
        elif isinstance(item, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__slots__" for t in item.targets
        ):
            found.attributes |= {
                one for part in ast.walk(item.value) if isinstance(part, ast.expr) and (one := _literal(part))
            }
        elif isinstance(item, ast.FunctionDef):
            if not any(
                "property" in ast.unparse(one) or ast.unparse(one).endswith((".setter", ".deleter"))
                for one in item.decorator_list
            ):
                found.methods.add(item.name)
            if item.name == "__init__":
                found.attributes |= {one.arg for one in (*item.args.args[1:], *item.args.kwonlyargs)}
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            name = ast.unparse(part.func)
            place = 1 if name == "setattr" else 0 if name.endswith("__setattr__") else None
            if place is not None and len(part.args) > place and (text := _literal(part.args[place])):
                found.attributes.add(text)
        for target in _targets(part):
            match target:
                case ast.Subscript(value=ast.Attribute(attr="__dict__"), slice=key) if text := _literal(key):
                    found.attributes.add(text)
                case _:
                    pass
    return found


def resolve(modules: dict[str, Module], module: str, name: str, depth: int = 0) -> tuple[str, str] | None:
    """Find where a name is really defined, through imports of imports."""
    here = modules.get(module)
    if here is None or depth > 12:
        return None
    if "." in name:
        first, _, rest = name.partition(".")
        source, imported = here.imports.get(first, ("", ""))
        inner = f"{source}.{imported}" if imported else source
        while "." in rest and f"{inner}.{rest.partition('.')[0]}" in modules:
            head, _, rest = rest.partition(".")
            inner = f"{inner}.{head}"
        return resolve(modules, inner, rest, depth + 1) if inner in modules and "." not in rest else None
    if name in here.classes:
        return module, name
    if name in here.imports:
        return resolve(modules, here.imports[name][0], here.imports[name][1] or name, depth + 1)
    return None


def read_version(root: Path, library: str, classes: dict[str, Class], wanted: set[str]) -> None:
    """Add what one version of a library says to ``classes``, and under which other names it has what is wanted."""
    modules = read_modules(root, library)
    for path in wanted:
        place, _, name = path.rpartition(".")
        found = resolve(modules, place, name)
        if found is not None and ".".join(found) != path and found[1] in modules[found[0]].classes:
            classes[path].bases.add(".".join(found))
    for module in modules.values():
        for name, node in module.classes.items():
            new = read_class(node, module)
            for base in node.bases:
                found = resolve(modules, module.name, ast.unparse(base).partition("[")[0])
                if found is not None:
                    new.bases.add(".".join(found))
            old = classes[f"{module.name}.{name}"]
            old.bases |= new.bases - {f"{module.name}.{name}"}
            old.attributes |= new.attributes
            old.methods |= new.methods


def reachable(classes: dict[str, Class], wanted: set[str]) -> set[str]:
    """Return the wanted classes that were found, with all their bases."""
    found: set[str] = set()
    waiting = [name for name in wanted if name in classes]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += classes[name].bases
    return found


def main(folder: Path) -> None:
    """Rewrite every list of attributes."""
    for library, distribution in LIBRARIES.items():
        listed = json.loads((LISTS / f"{library}.json").read_text())["globals"]
        wanted = {
            f"{module}.{name}"
            for module, names in listed.items()
            for name, rule in names.items()
            if rule in WITH_ATTRIBUTES
        }
        versions = sorted(
            path for path in folder.iterdir() if path.name.split("-")[0].removesuffix("_cpu") == distribution
        )
        classes: dict[str, Class] = defaultdict(Class)
        for root in versions:
            read_version(root, library, classes, wanted)
        for path in wanted - set(classes):
            module, _, name = path.rpartition(".")
            parent, _, last = module.rpartition(".")
            if f"{parent}._{last}.{name}" in classes:  # a module that was made private since
                classes[path].bases.add(f"{parent}._{last}.{name}")
        kept = reachable(classes, wanted)
        table = {
            name: {
                "bases": sorted(classes[name].bases),
                "attributes": sorted(
                    one for one in classes[name].attributes - classes[name].methods if not one.startswith("__")
                ),
                "methods": sorted(classes[name].methods),
            }
            for name in sorted(kept)
        }
        content = {
            "name": f"{library}-attributes", "version": VERSION,
            "verified": "the sources of " + ", ".join(root.name for root in versions), "classes": table,
        }  # fmt: skip
        text = json.dumps(content, separators=(",", ":")).replace('},"', '},\n"')
        (LISTS / "attributes" / f"{library}.json").write_text(text + "\n")
        print(library, len(table), "classes;", len(text), "bytes; not found:", sorted(wanted - set(classes))[:60])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
