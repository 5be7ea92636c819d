"""`python -m hubsync.sandbox.train`: rebuild the sandbox's weights from nothing, or measure those that are there.

A rebuild takes about 2,300 CPU seconds of one core, the report alone 140. With --only, two processes can share the
work: `autoencoder` and `base` need nothing, `assemble` and `previews` need what they join, all else needs `base`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path


def main() -> int:
    """Run the chosen stages, then print the table of figures; exit 1 if a figure missed its bar."""
    # Spinning OpenMP threads make a step 4 to 14 times longer on a machine that others use.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    torch.set_num_threads(1)
    _quieten()
    stages = _stages()
    options = _options(list(stages))
    chosen = [] if options.report else options.only or list(stages)
    for name in chosen:
        stages[name](options.out)
    if options.only:
        return 0
    return _report(options.out, keep=not options.report)


def _options(stages: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m hubsync.sandbox.train", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "data", help="the data folder")
    parser.add_argument("--only", nargs="+", choices=stages, metavar="STAGE", help=f"any of {', '.join(stages)}")
    parser.add_argument("--report", action="store_true", help="train nothing, measure what is there")
    return parser.parse_args()


def _quieten() -> None:
    """Silence the libraries' advice and progress bars: the losses and the table are what is to be read."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    for logging in (diffusers_logging, transformers_logging):
        logging.set_verbosity_error()
        logging.disable_progress_bar()


def _stages() -> dict[str, Callable[[Path], None]]:
    """Every stage by name, in the order that builds each on what it needs."""
    from hubsync.sandbox.train import stages
    from hubsync.sandbox.train.recipes import SLIDERS, TRIGGERED

    adapters = {recipe.stem: partial(stages.adapter, recipe) for recipe in (*SLIDERS, *TRIGGERED)}
    return {
        "autoencoder": stages.autoencoder,
        "base": stages.base,
        "assemble": stages.assemble,
        **adapters,
        "embedding": stages.embedding,
        "previews": stages.previews,
    }


def _report(root: Path, *, keep: bool) -> int:
    from hubsync.sandbox.train import report
    from hubsync.sandbox.train.package import Package

    figures = report.measure(Package(root))
    print(report.table(figures))
    if keep:
        report.save(figures, Package(root).figures)
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
