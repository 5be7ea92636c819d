"""The LoRAs of a request, read when first drawn with; those longest unused make room."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from hubsync.errors import HubsyncError
from hubsync.render.wire import Line, Note, Refused
from hubsync.renderer.names import Table
from hubsync.renderer.networks import Convert, Network, load_network

_ROOM = 4 << 30
"""Bytes of networks kept: twenty of SDXL's usual 100 MB, in the fp32 they are read to."""


@dataclass(slots=True, kw_only=True)
class Wardrobe:
    """Networks by name from `files`, bound to `table`, on `device`. One that cannot be applied is told once."""

    files: Mapping[str, str]
    table: Table
    device: torch.device
    say: Callable[[Line], object]
    convert: Convert | None = None
    room: int = _ROOM
    _kept: dict[str, Network] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    _merging: dict[str, bool] = field(default_factory=dict)

    def get(self, name: str) -> Network | None:
        """The network of that name; None where it was refused."""
        if name in self._refused:
            return None
        network = self._kept.pop(name, None) or self._load(name)
        if network is not None:
            self._kept[name] = network
            self._make_room()
        return network

    def merges(self, name: str) -> bool:
        """Whether rows with it need a batch apart."""
        if name not in self._merging:
            network = self.get(name)
            self._merging[name] = network is not None and network.merges
        return self._merging[name]

    def _load(self, name: str) -> Network | None:
        try:
            network = load_network(name, Path(self.files[name]), self.table, self.convert)
        except HubsyncError as error:
            self._refused.add(name)
            self.say(Refused(lora=name, code=error.code, message=error.message, hint=error.hint))
            return None
        if network.leftover and name not in self._merging:
            self.say(Note(message=_leftovers(network)))
        return network.to(self.device)

    def _make_room(self) -> None:
        while len(self._kept) > 1 and sum(network.size for network in self._kept.values()) > self.room:
            del self._kept[next(iter(self._kept))]


def _leftovers(network: Network) -> str:
    count = len(network.modules) + len(network.leftover)
    return (
        f"'{network.name}': {len(network.leftover)} of {count} modules have no place in this checkpoint "
        f"and were left out, {network.leftover[0]} among them"
    )
