"""A real PostgreSQL for tests: on loopback, in a folder of its own, by a user that is not root."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

__all__ = ["Server", "programs"]


def programs():
    """Return the folder of PostgreSQL's programs: the system's newest, or those of the package pgserver."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    spec = importlib.util.find_spec("pgserver")
    if spec is not None:
        found = [*Path(spec.submodule_search_locations[0]).glob("pginstall/bin/initdb"), *found]
    return found[-1].parent if found else None


class Server:
    """A server of PostgreSQL, by a user that is not root, which it refuses to be."""

    def __init__(self, folder):
        self.folder, self.bin, self.process = folder, programs(), None
        self.user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.data = folder / "data"
        if self.user:
            shutil.chown(folder, "nobody")
        made = [self.bin / "initdb", "-D", self.data, "-U", "grader", "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder, timeout=60, **self.user)
        self.start()

    @property
    def url(self):
        return f"postgresql+psycopg://grader@127.0.0.1:{self.port}/postgres"

    def start(self):
        command = [self.bin / "postgres", "-D", self.data, "-p", str(self.port), "-h", "127.0.0.1", "-k", "", "-F"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, **self.user)
        for _ in range(200):
            ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # "fast": ends connections, does not wait for them
        self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
