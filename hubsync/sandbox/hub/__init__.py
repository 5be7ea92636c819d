"""Both hubs on loopback: a real HTTP server that speaks Civitai's and Hugging Face's APIs and can be made to fail."""

from hubsync.sandbox.hub.faults import Fault, FaultKind, Origin
from hubsync.sandbox.hub.messages import Recorded
from hubsync.sandbox.hub.server import SandboxHub

__all__ = ["Fault", "FaultKind", "Origin", "Recorded", "SandboxHub"]
