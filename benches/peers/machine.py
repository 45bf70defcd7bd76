"""What figures depend on: the machine, what else it does, the programs and the model."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

BUSY = 0.05  # of all cores: more than this before the run makes a machine a busy one
LOOK_S = 3.0
PACKAGES = (
    "faster-whisper",
    "ctranslate2",
    "pywhispercpp",
    "wyoming-faster-whisper",
    "fastapi",
    "uvicorn",
    "httpx",
)


def spent() -> tuple[float, float, float]:
    """Returns the ticks of all cores since the start of the machine: busy, stolen, all."""
    line = Path("/proc/stat").read_text().splitlines()[0]
    user, nice, system, idle, waiting, irq, soft, stolen = map(float, line.split()[1:9])
    busy = user + nice + system + irq + soft + stolen
    return busy, stolen, busy + idle + waiting


def shares(before: tuple[float, float, float], after: tuple[float, float, float]) -> tuple[float, float]:
    """Returns the busy and the stolen share between two moments."""
    busy, stolen, every = (late - early for early, late in zip(before, after, strict=True))
    return busy / every, stolen / every


def first_line(*command: Any) -> str:
    try:
        ran = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return f"{command[0]}: not here"
    return ran.stdout.partition("\n")[0].strip()


def versions(python: Path) -> dict[str, str]:
    """Asks the peers' Python for the packages that it has."""
    program = (
        "import importlib.metadata as m, json; print(json.dumps({d.metadata['Name']: d.version"
        " for d in m.distributions()}))"
    )
    try:
        ran = subprocess.run([python, "-c", program], text=True, stdout=subprocess.PIPE, check=True)
    except (OSError, subprocess.CalledProcessError):
        return {}
    found = {name.replace("_", "-"): version for name, version in json.loads(ran.stdout).items()}
    return {name: found[name] for name in PACKAGES if name in found}


def describe(hark: Path, python: Path, model: Path) -> dict[str, Any]:
    """Looks at the machine for some seconds before anything of ours runs."""
    before = spent()
    time.sleep(LOOK_S)
    busy, stolen = shares(before, spent())
    about = Path("/proc/cpuinfo").read_text().splitlines()
    kinds = [line.partition(":")[2].strip() for line in about if line.startswith("model name")]
    with model.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    return {
        "day": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": kinds[0] if kinds else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "busy": busy,
        "stolen": stolen,
        "hark": first_line(hark, "--version"),
        "model": {"name": model.name, "sha256": sha256},
        "packages": versions(python),
        "programs": [
            f"Python {platform.python_version()}",
            " ".join(first_line("ffmpeg", "-version").split()[:3]),
            first_line("espeak-ng", "--version").partition(" Data")[0].strip(),
        ],
    }
