"""Gets wheels from PyPI, each with exactly the SHA-256 that is stated."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

UNREACHABLE = 75  # EX_TEMPFAIL of sysexits.h: not now, perhaps later


def fetch(wheels: dict[str, str], folder: Path) -> list[zipfile.ZipFile]:
    """Downloads the wheels, `{"name==version": sha256}`, in the order of their names.

    Ends the program: with UNREACHABLE if pip could not get one, with 1 if another came.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text("".join(f"{name} --hash=sha256:{sum}\n" for name, sum in wheels.items()))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    pip += ["--retries=2", "--timeout=20", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    ran = subprocess.run([*pip, f"--dest={folder}", f"--requirement={wanted}"],
                         stderr=subprocess.PIPE, text=True)
    if ran.returncode != 0:
        changed = "DO NOT MATCH THE HASHES" in ran.stderr
        print(ran.stderr.strip(), file=sys.stderr)
        raise SystemExit(1 if changed else UNREACHABLE)
    return [zipfile.ZipFile(wheel) for wheel in sorted(folder.glob("*.whl"))]
