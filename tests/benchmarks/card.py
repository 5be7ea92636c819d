"""What a card can reach: its data sheet's dense half-precision figure, and a large matrix product beside it."""

from __future__ import annotations

import re
import time

import msgspec
import torch

_SHEETS = {
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.0,
    "H200": 989.0,
    "A100": 312.0,
    "RTX 4090": 165.2,
    "RTX 3090": 71.0,
    "L4": 121.0,
}
"""TFLOP/s in fp16, dense, summed in fp32 as PyTorch has it; from NVIDIA's data sheets, where they give the sparse
figure half of it, and for the 3090 and 4090 from the white papers of GA102 and AD102."""

_ROUNDS, _EACH = 5, 10


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A device. TFLOP/s: `product` as measured, `sheet` as published, 0 where nobody wrote it down here."""

    name: str
    memory: int
    product: float
    sheet: float

    @property
    def peak(self) -> float:
        """What a share is a share of."""
        return self.sheet or self.product


def card_of(device: torch.device, dtype: torch.dtype, side: int) -> Card:
    """The device, with the product of two square matrices measured."""
    product = _product(device, dtype, side)
    if device.type != "cuda":
        return Card(name=device.type, memory=0, product=product, sheet=0.0)
    found = torch.cuda.get_device_properties(device)
    return Card(name=found.name, memory=found.total_memory, product=product, sheet=sheet_of(found.name))


def sheet_of(name: str) -> float:
    """The published figure of a card; a slice of one (MIG) has none."""
    if "MIG" in name:
        return 0.0
    return next((figure for card, figure in _SHEETS.items() if re.search(rf"\b{card}\b", name)), 0.0)


def _product(device: torch.device, dtype: torch.dtype, side: int) -> float:
    one, other = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    best = 0.0
    for number in range(_ROUNDS + 1):
        began = clock(device)
        for _ in range(_EACH):
            one @ other
        if number:  # the first chooses its kernel
            best = max(best, 2 * side**3 * _EACH / (clock(device) - began) / 1e12)
    return best


def clock(device: torch.device) -> float:
    """Seconds, once the device has done everything it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
