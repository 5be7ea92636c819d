"""Civitai over its public REST API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING, Any

import msgspec

from hubsync.config import Settings
from hubsync.domain import Availability, Download, Lora, LoraFile, LoraType, Nsfw, Page, Period, Query, Sort, Version
from hubsync.errors import HubsyncError, NotFound, UnexpectedResponse
from hubsync.families import Families
from hubsync.hubs import civitai_wire as wire
from hubsync.hubs.base import MOST_PAGES, within
from hubsync.hubs.civitai_files import TYPES
from hubsync.hubs.civitai_read import Reader, page_url, utc_now
from hubsync.hubs.http import Sleep, json_of, request
from hubsync.hubs.wire import read, rows
from hubsync.refs import CivitaiRef, HashRef, Ref, Source

if TYPE_CHECKING:
    import httpx2
