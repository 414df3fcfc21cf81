"""Follows a model's annotations along a path, to say what is known at a place and whether it is secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Literal, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

from pipelint.config.secrets import SecretRef

Shape: TypeAlias = tuple[object, ...]
"""The types that a place may have: several where a union is open."""


def shape_of(annotation: object) -> Shape:
    """The members of a union without None, or the type itself."""
    if get_origin(annotation) is Annotated and not _tag(annotation):
        return shape_of(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        members = [shape_of(member) for member in get_args(annotation) if member is not NoneType]
        return tuple(kind for member in members for kind in member)
    return (annotation,)


def narrowed(shape: Shape, tag: str) -> Shape:
    """The member of a union that pydantic calls `tag` in the location of an error."""
    return tuple(kind for kind in shape if _called(kind, tag)) or shape


def fields_of(shape: Shape) -> dict[str, FieldInfo]:
    """The keys that the models of a shape know."""
    return {info.alias or name: info for model in _models(shape) for name, info in model.model_fields.items()}


def under(shape: Shape, step: str | int) -> Shape:
    """What may stand under a key or at an index; nothing where it is not known."""
    found: list[object] = []
    for kind in map(_bare, shape):
        arguments = get_args(kind)
        if isinstance(step, int) and arguments:
            found += shape_of(arguments[0])
        elif isinstance(origin := get_origin(kind), type) and issubclass(origin, Mapping):
            found += shape_of(arguments[1])
    info = fields_of(shape).get(str(step))
    return tuple(found) + (shape_of(info.annotation) if info else ())


def keeps_secrets(shape: Shape) -> bool:
    """Whether a secret may stand here or anywhere below."""
    return any(
        kind is SecretRef
        or keeps_secrets(get_args(kind))
        or any(keeps_secrets(shape_of(info.annotation)) for info in fields_of((kind,)).values())
        for kind in map(_bare, shape)
    )


def _models(shape: Shape) -> Iterator[type[BaseModel]]:
    for kind in map(_bare, shape):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind


def _bare(kind: object) -> object:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _tag(kind: object) -> str:
    return next((part.tag for part in get_args(kind)[1:] if isinstance(part, Tag)), "")


def _called(kind: object, tag: str) -> bool:
    bare = _bare(kind)
    literals = (info.annotation for model in _models((kind,)) for info in model.model_fields.values())
    return tag in (_tag(kind), getattr(bare, "__name__", "")) or any(
        get_origin(literal) is Literal and tag in get_args(literal) for literal in literals
    )
