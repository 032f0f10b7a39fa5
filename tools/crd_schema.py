"""Derive the structural schema of a custom resource from the type that its parser uses.

The API server checks what a schema can say, so that a mistake is refused where it is made. What a schema cannot say is
left to the parser. Fields that the schema does not know are kept, not pruned: a limit that is misspelled, or that only
a newer version knows, has to reach the parser, which refuses the whole document for it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import inspect

MAX_ITEMS: Final = 256
"""Most items of a list that sets no limit; the API server wants one to bound the cost of rules."""

MAX_TEXT: Final = 4096
"""Most characters of a string that sets no limit."""

Schema = dict[str, Any]


def schema_of(kind: type) -> Schema:
    """Return the structural schema of a frozen type."""
    return _of(inspect.type_info(kind))


def _of(kind: inspect.Type) -> Schema:  # noqa: PLR0911
    match kind:
        case inspect.StrType():
            return _text(kind)
        case inspect.IntType():
            return {"type": "integer", "format": "int64", **_bounds(kind)}
        case inspect.FloatType():
            return {"type": "number", **_bounds(kind)}
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.LiteralType():
            return {"type": "string", "enum": sorted(str(value) for value in kind.values)}
        case inspect.EnumType():
            return {"type": "string", "enum": [str(member.value) for member in kind.cls]}
        case inspect.TupleType():
            count = len(kind.item_types)
            return {"type": "array", "minItems": count, "maxItems": count, "items": _of(kind.item_types[0])}
        case inspect.VarTupleType() | inspect.ListType():
            size = {"maxItems": kind.max_length or MAX_ITEMS}
            least = {} if kind.min_length is None else {"minItems": kind.min_length}
            return {"type": "array", **least, **size, "items": _of(kind.item_type)}
        case inspect.DictType():
            return {"type": "object", "additionalProperties": _of(kind.value_type)}
        case inspect.StructType():
            return _struct(kind)
        case inspect.UnionType():
            return _union(kind)
        case _:
            raise TypeError(f"{kind} has no structural schema")


def _text(kind: inspect.StrType) -> Schema:
    found: Schema = {"type": "string"}
    if kind.pattern is not None:
        # Go's $ without a flag is the end of the text, which Python writes as \Z.
        found["pattern"] = kind.pattern.replace(r"\A", "^").replace(r"\Z", "$")
    if kind.min_length is not None:
        found["minLength"] = kind.min_length
    found["maxLength"] = kind.max_length or MAX_TEXT
    return found


def _bounds(kind: inspect.IntType | inspect.FloatType) -> Schema:
    found: Schema = {}
    for name, bound, exclusive in (
        ("minimum", kind.ge, False),
        ("minimum", kind.gt, True),
        ("maximum", kind.le, False),
        ("maximum", kind.lt, True),
    ):
        if bound is not None:
            found[name] = bound
            if exclusive:
                found[f"exclusive{name.capitalize()}"] = True
    return found


def _struct(kind: inspect.StructType) -> Schema:
    properties = {field.encode_name: _field(field) for field in kind.fields}
    required = [field.encode_name for field in kind.fields if field.required]
    if kind.tag_field is not None:
        properties = {kind.tag_field: {"type": "string", "enum": [str(kind.tag)]}, **properties}
        required = [kind.tag_field, *required]
    return _object(properties, required)


def _field(field: inspect.Field) -> Schema:
    schema = _of(field.type)
    if field.required or field.default is msgspec.NODEFAULT or isinstance(field.default, msgspec.Struct):
        return schema
    # Said, not set: what a policy says belongs to whoever wrote it.
    default = msgspec.to_builtins(field.default)
    return {"description": f"Default: {default}", **schema} if default else schema


def _object(properties: Schema, required: list[str]) -> Schema:
    found: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if required:
        found["required"] = required
    return {**found, "properties": properties}


def _union(kind: inspect.UnionType) -> Schema:
    members = [member for member in kind.types if not isinstance(member, inspect.NoneType)]
    if len(members) == 1:
        return _of(members[0])
    if any(isinstance(member, inspect.LiteralType) for member in members):
        # A word or an object: a structural schema has no union, so the parser alone tells.
        return {"x-kubernetes-preserve-unknown-fields": True}
    structs = [member for member in members if isinstance(member, inspect.StructType)]
    if len(structs) != len(members) or any(member.tag_field is None for member in structs):
        raise TypeError(f"a union of {members} has no structural schema")
    return _tagged(structs)


def _tagged(members: list[inspect.StructType]) -> Schema:
    # A structural schema has one set of properties, so the members are laid over each other, and a rule for each
    # says what it needs.
    tag = str(members[0].tag_field)
    schemas = {str(member.tag): _struct(member) for member in members}
    properties: Schema = {}
    for schema in schemas.values():
        properties = _overlay(properties, schema["properties"])
    common = [
        name for name in members[0].fields if all(_requires(schema, name.encode_name) for schema in schemas.values())
    ]
    found = _object(properties, [tag, *(field.encode_name for field in common)])
    found["x-kubernetes-validations"] = [
        {"rule": f"self.{tag} != '{name}' || ({needs})", "message": f"{tag}: {name} needs more; {_plainly(needs)}"}
        for name, schema in schemas.items()
        if (needs := " && ".join(_needs(schema, "self", {tag, *found["required"]})))
    ]
    return found if found["x-kubernetes-validations"] else _object(properties, found["required"])


def _requires(schema: Schema, name: str) -> bool:
    return name in schema.get("required", ())


def _needs(schema: Schema, path: str, known: set[str]) -> list[str]:
    found = []
    for name in schema.get("required", ()):
        if name not in known:
            found.append(f"has({path}.{name})")
            found += _needs(schema["properties"][name], f"{path}.{name}", set())
    return found


def _plainly(needs: str) -> str:
    return needs.replace("has(self.", "").replace(")", "").replace(" && ", ", ")


def _overlay(first: Schema, second: Schema) -> Schema:
    merged = dict(first)
    for name, schema in second.items():
        merged[name] = _merge(merged[name], schema) if name in merged else schema
    return merged


def _merge(first: Schema, second: Schema) -> Schema:
    if first == second:
        return first
    if "enum" in first and "enum" in second:
        values = [*first["enum"], *(value for value in second["enum"] if value not in first["enum"])]
        return {"type": "string", "enum": values}
    if first.get("type") == second.get("type") == "object":
        return _object(_overlay(first["properties"], second["properties"]), [])
    raise TypeError(f"{first} and {second} have nothing in common that a structural schema could say")
