"""What two interpreters say to each other: JSON of a known length, and nothing that runs when it is read."""

from __future__ import annotations

import base64
import json
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import IO, Any

import numpy as np

from properties.cases import Call, Step, Training
from properties.subject import Group

__all__ = ["PREAMBLE", "Channel", "drained"]

#: What the other side says first; what its interpreter prints before that is passed over.
PREAMBLE = b"exactstep\n"

_LENGTH = struct.Struct(">Q")
_RECORDS = {record.__name__: record for record in (Call, Group, Step, Training)}

#: What crosses as numpy's bytes: truth values, numbers of any width, complex ones, and texts, which are refused by name.
_KINDS = "biufcSU"

#: What `numpy.dtype.isbuiltin` says of types such as bfloat16, which a package has added.
_ADDED = 2


class Channel:
    """A way to send values to another interpreter, and to receive them.

    Numbers, texts, None, sequences, mappings, arrays with their memory layout and the inputs of checks cross as what
    they are; anything else crosses as a number that stands for it, and stays where it is. What stands here for an object
    of the other side is that object again when it crosses back.

    Parameters
    ----------
    incoming, outgoing : binary file
    keep : callable
        Returns a number for an object of this side that has to be spoken of.
    known : callable
        Returns what stands here for an object of the other side, by its number.
    kept : callable
        Returns the object of this side that has a number.
    abroad : callable
        Returns the number of the object of the other side that a value stands for, or None if it stands for itself.
    """

    def __init__(
        self,
        incoming: IO[bytes],
        outgoing: IO[bytes],
        *,
        keep: Callable[[Any], int],
        known: Callable[[int], Any],
        kept: Callable[[int], Any],
        abroad: Callable[[Any], int | None],
    ) -> None:
        self._incoming, self._outgoing = incoming, outgoing
        self._keep, self._known, self._kept, self._abroad = keep, known, kept, abroad

    def send(self, value: Any) -> None:
        """Send a value.

        Raises
        ------
        OSError
            If nobody is there to read it.
        """
        message = json.dumps(self._encoded(value)).encode()
        self._outgoing.write(_LENGTH.pack(len(message)) + message)
        self._outgoing.flush()

    def receive(self) -> Any:
        """Return the value that comes next.

        Raises
        ------
        EOFError
            If none comes any more.
        """
        (length,) = _LENGTH.unpack(self._bytes(_LENGTH.size))
        return self._decoded(json.loads(self._bytes(length)))

    def _bytes(self, count: int) -> bytes:
        found = self._incoming.read(count)
        if len(found) < count:
            raise EOFError
        return found

    def _encoded(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [self._encoded(entry) for entry in value]
        if isinstance(value, tuple):
            return {"tuple": [self._encoded(entry) for entry in value]}
        if isinstance(value, Mapping):
            return {"mapping": [[self._encoded(key), self._encoded(entry)] for key, entry in value.items()]}
        if hasattr(value, "__array__") and (array := _common(np.asarray(value))).dtype.kind in _KINDS:
            bits = base64.b64encode(array.tobytes()).decode()
            return {"array": [array.dtype.str, list(array.shape), list(array.strides), bits]}
        if type(value) in _RECORDS.values():
            parts = {part.name: self._encoded(getattr(value, part.name)) for part in fields(value)}
            return {"record": [type(value).__name__, parts]}
        number = self._abroad(value)
        return {"object": self._keep(value)} if number is None else {"yours": number}

    def _decoded(self, said: Any) -> Any:
        if isinstance(said, list):
            return [self._decoded(entry) for entry in said]
        if not isinstance(said, dict):
            return said
        ((kind, content),) = said.items()
        match kind:
            case "tuple":
                return tuple(self._decoded(entry) for entry in content)
            case "mapping":
                return {self._decoded(key): self._decoded(entry) for key, entry in content}
            case "array":
                return _laid_out(*content)
            case "record":
                name, parts = content
                return _RECORDS[name](**{part: self._decoded(entry) for part, entry in parts.items()})
            case "yours":
                return self._kept(content)
            case _:
                return self._known(content)


def drained(numbers: deque[int]) -> list[int]:
    """Take all numbers, while others may come."""
    return [numbers.popleft() for _ in range(len(numbers))]


def _common(array: Any) -> Any:
    """Return an array of a type that every numpy has: the narrow ones that packages add are exact in float64."""
    return array.astype(np.float64) if array.dtype.isbuiltin == _ADDED else array


def _laid_out(dtype: str, shape: list[int], strides: list[int], bits: str) -> Any:
    """Return an array of the same memory layout, with zeros in the gaps."""
    dense = np.frombuffer(base64.b64decode(bits), dtype).reshape(shape)
    if dense.size == 0:
        return dense.copy()
    reaches = [(length - 1) * stride for length, stride in zip(shape, strides, strict=True)]
    before, after = -sum(reach for reach in reaches if reach < 0), sum(reach for reach in reaches if reach > 0)
    memory = np.zeros(before + after + dense.itemsize, np.uint8)
    array: Any = np.ndarray(shape, dense.dtype, memory, before, strides)
    array[...] = dense
    return array
