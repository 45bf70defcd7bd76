"""Starts and stops the programs that are measured, and reads from /proc what they cost."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_S = 120  # the longest that a program may take to load


@dataclass(frozen=True)
class Place:
    """Where everything is: programs, models, a folder to work in, the address of the stub."""

    hark: Path
    python: Path
    ggml: Path
    ct2: Path
    folder: Path
    openai: str


class Missing(Exception):
    """A peer cannot take part; the words say why."""


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def ask(url: str, body: Any = None) -> Any:
    """Asks for JSON; posts the body, if there is one."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def server(python: Path, module: str, port: int) -> list[Any]:
    """Returns the command that serves an app of this folder."""
    here = Path(__file__).resolve().parent
    return [
        python,
        "-m",
        "uvicorn",
        f"{module}:app",
        "--app-dir",
        here,
        "--port",
        port,
        "--log-level",
        "warning",
    ]


class Program:
    """One program in the background; `NAME.out` and `NAME.log` in the folder have what it prints."""

    def __init__(
        self, name: str, command: list[Any], folder: Path, env: dict[str, str] | None = None
    ) -> None:
        self.name, self.out, self.log = name, folder / f"{name}.out", folder / f"{name}.log"
        try:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env=os.environ | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=self.out.open("w"),
                stderr=self.log.open("w"),
                start_new_session=True,
            )
        except OSError as error:
            raise Missing(f"{name} does not start: {error}") from error

    def wait_for(self, url: str) -> None:
        """Waits until the address is answered."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                return
            except OSError:
                self.check()
                time.sleep(0.1)
        raise Missing(f"{self.name} was not ready in {START_S} s; see {self.log}")

    def check(self) -> None:
        if self.process.poll() is not None:
            raise Missing(f"{self.name} ended: {last_line(self.log) or self.process.returncode}")

    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    def peak_mib(self) -> float:
        """Returns the most memory that the process has had at once, without its children's."""
        about = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in about.splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def last_line(log: Path) -> str:
    """Returns the last words of a program, without folders of this machine."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].replace(f"{log.parent.parent}/", "") if lines else ""


def cpu_s(pid: int) -> float:
    """Sums the user and system seconds of a process, of its children, and of theirs."""
    process = Path(f"/proc/{pid}")
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        lists = [(task / "children").read_text().split() for task in (process / "task").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has ended; whoever waited for it has its seconds
    # Its own, and those of the children it has waited for: proc(5), fields 14 to 17.
    own = sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S
    return own + sum(cpu_s(int(child)) for children in lists for child in children)
