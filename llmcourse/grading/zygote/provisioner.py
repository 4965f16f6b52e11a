"""Jupyter's way to a forked kernel: the provisioner ``llmcourse-zygote``.

A kernel manager gets it by ``JUPYTER_DEFAULT_PROVISIONER_NAME=llmcourse-zygote`` in the environment, or by
``"metadata": {"kernel_provisioner": {"provisioner_name": "llmcourse-zygote"}}`` in the kernelspec. Its channels are
Unix sockets in a folder that only this user can open, and that goes when the kernel does.
"""

import asyncio
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Any as AnyTrait
from traitlets import Bool, Dict, List, Unicode

from llmcourse.grading.zygote.serving import fork
from llmcourse.sandbox import Limits

__all__ = ["NAME", "ZygoteProvisioner"]

NAME = "llmcourse-zygote"
_CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
_POLL_S = 0.005


class ZygoteProvisioner(LocalProvisioner):
    """A kernel that a warm server forks in its sandbox."""

    preload = List(Unicode(), help="Modules that are imported before the first kernel is forked")
    limits = Dict(help="What a kernel may use: the fields of llmcourse.sandbox.Limits")
    accept_unisolated = Bool(False, help="Run kernels with limits alone where there is no sandbox")
    border = AnyTrait(None, help="A descriptor that the kernel gets as its socket to the judge", allow_none=True)
    files = AnyTrait(None, help="A descriptor of a tar file that is unpacked in the kernel's folder", allow_none=True)
    said = Unicode(help="What the fork's watcher said at its end: the limit that was hit")
    _folder = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose the sockets' folder instead of ports; nothing of the environment is passed on.

        Args:
            **kwargs: Of ``KernelManager.start_kernel``; ignored but for ``cwd``.

        Returns:
            What :meth:`launch_kernel` takes.
        """
        manager: Any = self.parent
        self._folder = tempfile.mkdtemp(prefix="kernel-")
        manager.transport, manager.ip = "ipc", str(Path(self._folder) / "channel")
        for number, name in enumerate(_CHANNELS, start=1):
            setattr(manager, f"{name}_port", number)
        self.connection_info = manager.get_connection_info()
        return {"cmd": ["forked"], "cwd": kwargs.get("cwd"), "env": {}}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Ask the server for a kernel on sockets that listen already.

        Args:
            cmd: Ignored: a fork has no command.
            **kwargs: Of :meth:`pre_launch`.

        Returns:
            Where the sockets are, and the session's key.
        """
        listeners = {name: _listen(f"{self._folder}/channel-{i}") for i, name in enumerate(_CHANNELS, start=1)}
        descriptors = {name: listener.fileno() for name, listener in listeners.items()}
        beside = {"border": self.border, "files": self.files}
        descriptors |= {name: number for name, number in beside.items() if number is not None}
        manager: Any = self.parent
        session = manager.session
        request = {
            "key": session.key.decode(),
            "signature_scheme": session.signature_scheme,
            "limits": Limits(**self.limits).as_dict(),
            "processes_in_use": 0,
        }
        try:
            forked = fork("kernel", self.preload, request, descriptors, accept_unisolated=self.accept_unisolated)
        finally:
            for listener in listeners.values():
                listener.close()
        self.process, self.pid = forked, forked.pid  # pyright: ignore[reportAttributeAccessIssue]
        return self.connection_info

    async def wait(self) -> int | None:
        """Wait for the end, looking more often than every tenth of a second.

        Returns:
            The exit code.
        """
        while self.process is not None and self.process.poll() is None:
            await asyncio.sleep(_POLL_S)
        code = None
        if self.process is not None:
            code, self.said = self.process.returncode, self.process.said
            self.process = None
        return code

    async def cleanup(self, restart: bool = False) -> None:
        """Remove the sockets."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _listen(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    return listener
