"""The student's end: an agent that looks names up in the student's namespace and does what the judge asks.

It lives in the student's own process, where all of it can be read and changed. So it holds nothing secret, and nothing
that it says is believed: the judge checks every message. It works in any namespace, an IPython kernel's ``user_ns``
among them.
"""

import contextlib
from typing import Any

from llmcourse.grading.border.endpoint import Endpoint
from llmcourse.grading.border.limits import Limits
from llmcourse.grading.border.wire import Channel

__all__ = ["Agent", "serve"]


class Agent(Endpoint):
    """Answers the judge; objects that it holds for the judge stay from one :meth:`serve` to the next."""

    def __init__(self, channel: Channel, namespace: dict[str, Any], limits: Limits | None = None) -> None:
        super().__init__(channel, namespace, limits, hostile_here=True)

    def serve(self) -> None:
        """Answer until the judge says that it is done for now, or is gone."""
        serving = True
        while serving:
            with contextlib.suppress(KeyboardInterrupt):  # of a call that has ended meanwhile
                serving = self.serve_one()


def serve(channel: Channel, namespace: dict[str, Any], limits: Limits | None = None) -> None:
    """Answer a judge from a namespace until it is done.

    Args:
        channel: To the judge.
        namespace: The student's.
        limits: The judge's, so that what it would refuse is told in words.
    """
    Agent(channel, namespace, limits).serve()
