"""A forked Jupyter kernel: IPython's own, on sockets that were bound before the fork.

The sockets lie in a folder of the grader that the sandbox does not see: a fork gets them as open descriptors, so that
there is no writable folder of this machine inside, and no file to find. Beside Jupyter's channels it has one socket to
the judge, and a message ``serve_border`` upon which the main thread answers the judge, interruptible like any cell.
"""

import importlib
import os
import secrets
import socket
import sys
import tempfile
from typing import Any

import psutil
import zmq
from ipykernel import kernelapp
from ipykernel.iostream import IOPubThread
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.ultratb import AutoFormattedTB
from traitlets import Dict, Type
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

from llmcourse.grading.border.student_side import Agent
from llmcourse.grading.border.wire import SocketChannel

__all__ = ["CHANNELS", "run", "warm_up"]

# In the order of the ports by which Jupyter tells channels of the ipc transport apart, from 1.
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")


# What each kernel imports when it starts, debugpy among it. Not matplotlib_inline's backend: it registers itself with
# IPython when it is imported, and there is none yet.
_IMPORTED = (
    *(f"IPython.core.{name}" for name in ("completer", "completerlib", "debugger", "logger", "magics", "oinspect")),
    *("IPython.extensions.storemagic", "IPython.utils.wildcard", "ipykernel.debugger", "ipykernel.zmqshell"),
    *("encodings.idna", "tornado.gen", "tornado.locks", "tornado.platform.asyncio", "tornado.queues"),
)


class _Shell(ZMQInteractiveShell):
    """IPython's shell, which keeps no second copy of each traceback: nobody will read the history."""

    def _format_exception_for_storage(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {}


class _Kernel(IPythonKernel):
    """IPython's kernel that also answers the judge."""

    agent: Agent | None = None
    shell_class = Type(_Shell)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shell_handlers["serve_border"] = self.serve_border

    async def serve_border(self, stream: Any, ident: Any, parent: Any) -> None:
        """Answer the judge from the student's namespace until it is done with a cell."""
        if self.agent is not None:
            self.agent.serve()


class _Outputs(IOPubThread):
    """What sends outputs; it hears of its subprocesses' by a file in /tmp, where Jupyter would bind a TCP port."""

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = secrets.token_bytes(16)
        self._pipe_path = f"ipc://{tempfile.mkdtemp(prefix='outputs-')}/pipe"
        context: Any = self.socket.context  # pyright: ignore[reportOptionalMemberAccess]
        pipe = context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(self._pipe_path)
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> Any:
        context = zmq.Context()  # a new one after a fork
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000  # as Jupyter has it
        pipe.connect(self._pipe_path)
        return context, pipe


class _Application(kernelapp.IPKernelApp):
    """IPython's kernel application, which neither binds by path nor writes a connection file."""

    descriptors = Dict()

    def parse_command_line(self, argv: Any = None) -> None:
        """There is none."""

    def load_config_file(self, suppress_errors: Any = None) -> None:
        """There is none, and looking takes longer than a cell."""

    def init_crash_handler(self) -> None:
        """Leave Python's own: nobody reads the crash report of a fork."""

    def init_connection_file(self) -> None:
        """There is none: the request told the ports and the key."""

    def write_connection_file(self, **kwargs: Any) -> None:
        """There is none."""

    def cleanup_connection_file(self) -> None:
        """There is none."""

    def init_heartbeat(self) -> None:
        """The server knows whether the fork lives."""

    def _try_bind_socket(self, s: Any, port: int) -> int:
        s.setsockopt(zmq.USE_FD, self.descriptors[CHANNELS[port - 1]])
        s.bind(f"ipc://channel-{port}")
        return port


def warm_up() -> None:
    """Import what a kernel imports when it starts, and what looks at /proc, which forks do not have."""
    for name in _IMPORTED:
        importlib.import_module(name)
    psutil.Process()
    _format_a_traceback()
    if (torch := sys.modules.get("torch")) is not None:
        torch.mm(torch.ones(2, 2), torch.ones(2, 2))
    # Jupyter takes a parent that it was told of for one to die with, and in here there is none.
    os.environ.pop("JPY_PARENT_PID", None)


def _format_a_traceback() -> None:
    """Have inspect find out once which of the thousands of modules comes from which file."""
    try:
        raise NotImplementedError
    except NotImplementedError as error:
        AutoFormattedTB(mode="Context", theme_name="linux").structured_traceback(
            type(error), error, error.__traceback__, context=5
        )


def run(request: dict[str, Any], descriptors: dict[str, int]) -> None:
    """Be a kernel until it is killed or asked to shut down.

    Args:
        request: With ``key`` and ``signature_scheme`` of the session.
        descriptors: A listening socket for each of :data:`CHANNELS`, and ``border``, connected to the judge.
    """
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.Session.key = request["key"].encode()
    settings.Session.signature_scheme = request["signature_scheme"]
    application = _Application.instance(
        config=settings,
        transport="ipc",
        ip="channel",
        kernel_class=_Kernel,
        descriptors=descriptors,
        **{f"{name}_port": number for number, name in enumerate(CHANNELS, start=1)},
    )
    # which the application names itself
    kernelapp.IOPubThread = _Outputs  # pyright: ignore[reportPrivateImportUsage]
    application.initialize([])
    if "border" in descriptors:
        channel = SocketChannel(socket.socket(fileno=descriptors["border"]))
        application.kernel.agent = Agent(channel, application.kernel.shell.user_ns)
    sys.argv = ["ipykernel"]
    application.start()
