"""Jupyter's manager and client of a kernel that a warm server forked, as nbclient uses them."""

import asyncio
import contextlib
from queue import Empty
from time import monotonic
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Dict, DottedObjectName, Type

from llmcourse.grading.zygote.provisioner import NAME

__all__ = ["GradedKernelManager"]

# A message larger than this is refused by ZeroMQ, which bounds what a flood of outputs costs the grader.
_MESSAGE_BYTES = 16 << 20
_MESSAGES = 32
_SEND_MS = 2_000


class _Client(AsyncKernelClient):
    """A client that takes no more from its kernel than it can hold."""

    def _context_default(self) -> Any:
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, _MESSAGE_BYTES)  # for the sockets that it will make
        context.setsockopt(zmq.RCVHWM, _MESSAGES)
        # a kernel that sent too much is cut off, and what is sent to it would wait for ever
        context.setsockopt(zmq.SNDTIMEO, _SEND_MS)
        return context

    def start_channels(self, *arguments: bool, **chosen: bool) -> None:
        """Start all channels but the heartbeat's: the fork's server tells its end, and that thread takes long to stop.

        Args:
            *arguments: Ignored.
            **chosen: Channels that Jupyter would start or leave out.
        """
        super().start_channels(**{**chosen, "hb": False})

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the first answer; Jupyter's own waits a fifth of a second longer, for old outputs.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            RuntimeError: The kernel has died, or takes longer.
        """
        until = monotonic() + (timeout or 60)
        self.kernel_info()
        while True:
            with contextlib.suppress(Empty):
                await self.shell_channel.get_msg(timeout=0.5)
                break
            if not await self._async_is_alive():
                raise RuntimeError("the kernel died before it answered")
            if monotonic() > until:
                raise RuntimeError(f"the kernel did not answer within {timeout:g} s")
        # what is published before the subscription has arrived is lost
        with contextlib.suppress(Empty):
            await self.iopub_channel.get_msg(timeout=0.5)


class GradedKernelManager(AsyncKernelManager):
    """A manager whose kernels come from :class:`llmcourse.grading.zygote.provisioner.ZygoteProvisioner`."""

    client_class = DottedObjectName(f"{__name__}._Client")
    client_factory = Type(_Client)
    settings = Dict(help="The provisioner's traits")

    @property
    def kernel_spec(self) -> Any:
        """Python's, with the provisioner named in its metadata."""
        provisioner = {"provisioner_name": NAME, "config": self.settings}
        return KernelSpec(
            argv=["python"], display_name="Python 3", language="python", metadata={"kernel_provisioner": provisioner}
        )

    async def end(self) -> str:
        """Kill the kernel without asking it, and return what its watcher said: the name of the limit that it hit."""
        provisioner: Any = self.provisioner
        if provisioner is None:
            return ""
        await provisioner.kill()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(provisioner.wait(), 10)
        return provisioner.said
