"""One download: on as many connections as help, resumed from any state, hashed while it is written.

`Transfer.fetch` is all the rest of hubsync calls. Inside, `job` decides, `connection` and `stream` receive, `segments`
knows what is missing, `journal` remembers it, `ramp` says how many connections are worth it.
"""

from hubsync.files.transfer.part import Part
from hubsync.files.transfer.transfer import Flow, Progress, Received, Transfer

__all__ = ["Flow", "Part", "Progress", "Received", "Transfer"]
