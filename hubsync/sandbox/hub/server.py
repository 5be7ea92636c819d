"""The hub: three origins on loopback, started and closed together."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from hubsync.sandbox.hub.civitai import catalogue as civitai
from hubsync.sandbox.hub.civitai.routes import CivitaiSite
from hubsync.sandbox.hub.civitai.shapes import Shapes
from hubsync.sandbox.hub.faults import Fault, Origin, Switchboard
from hubsync.sandbox.hub.huggingface import repositories as huggingface
from hubsync.sandbox.hub.huggingface.routes import HuggingFaceSite
from hubsync.sandbox.hub.listener import Journal, Listener, Site
from hubsync.sandbox.hub.messages import Recorded
from hubsync.sandbox.hub.shelf import Shelf
from hubsync.sandbox.hub.storage.files import Storage
from hubsync.sandbox.hub.storage.pictures import Gallery

PACKAGED = Path(__file__).parent.parent / "data"


class SandboxHub:
    """A running hub; a context manager that closes it.

    `civitai_url` is Civitai's site, `huggingface_url` what `HF_ENDPOINT` is to say, `storage_url` the origin that
    downloads are redirected to.
    """

    KEY: ClassVar[str] = "sandbox0civitai0key0000000000000"
    TOKEN: ClassVar[str] = "hf_sandboxTokenSandboxTokenSandbox"  # noqa: S105 - opens nothing but this hub

    def __init__(self, shelf: Shelf, port: int, faults: Sequence[Fault], clock: Callable[[], float]) -> None:
        self._journal = Journal()
        self._switchboard = Switchboard(faults)
        self._listeners = bound(port, self._journal, self._switchboard)
        self.civitai_url, self.huggingface_url, self.storage_url = (listener.url for listener in self._listeners)
        others = shelf.others(civitai.SOURCES | huggingface.SOURCES)
        catalogue = civitai.Catalogue(shelf, others)
        gallery = Gallery(shelf.root / "previews", catalogue.images)
        storage = Storage(self.storage_url, gallery, clock=clock)
        shapes = Shapes(catalogue, gallery, pictures=self.storage_url, clock=clock)
        sites: tuple[Site, ...] = (
            CivitaiSite(self.civitai_url, catalogue, shapes, storage, key=self.KEY, clock=clock),
            HuggingFaceSite(huggingface.repositories(shelf, others), storage, token=self.TOKEN),
            storage,
        )
        for listener, site in zip(self._listeners, sites, strict=True):
            listener.serve(site, storage_url=self.storage_url)

    @classmethod
    def start(
        cls,
        data: Path | None = None,
        *,
        port: int = 0,
        faults: Sequence[Fault] = (),
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Start on `port` and the two after it, or on free ports; `data` is laid out like the packaged folder.

        Raises:
            OSError: a port is taken.
        """
        return cls(Shelf(data or PACKAGED), port, faults, clock)

    @property
    def requests(self) -> tuple[Recorded, ...]:
        """Every request so far, in the order of arrival."""
        return self._journal.entries()

    @property
    def traffic(self) -> int:
        """The body bytes that left so far, exactly: those of unfinished and broken answers too."""
        return self._journal.traffic()

    @property
    def leaks(self) -> tuple[Recorded, ...]:
        """The requests that carried a secret to an origin it does not belong to."""
        return tuple(record for record in self.requests if self._leaks(record))

    def switch(self, *faults: Fault) -> None:
        """Replace the faults that are on; none switches all of them off."""
        self._switchboard.switch(faults)

    def close(self) -> None:
        """End every connection and thread."""
        for listener in self._listeners:
            listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _leaks(self, record: Recorded) -> bool:
        sent = " ".join([record.path, *record.headers.values(), *(value for _name, value in record.query)])
        if record.origin == Origin.STORAGE:
            token = any(name == "token" for name, _value in record.query)
            return token or bool({"authorization", "cookie"} & set(record.headers)) or self._secret_in(sent)
        return (self.TOKEN if record.origin == Origin.CIVITAI else self.KEY) in sent

    def _secret_in(self, text: str) -> bool:
        return self.KEY in text or self.TOKEN in text


def bound(port: int, journal: Journal, switchboard: Switchboard) -> list[Listener]:
    """A listener for each origin, on `port` and those after it, or on free ports; none is left open if one is taken.

    Raises:
        OSError: a port is taken.
    """
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(
                Listener(origin, port + offset if port else 0, journal=journal, switchboard=switchboard)
            )
            for offset, origin in enumerate(Origin)
        ]
        stack.pop_all()
    return listeners
