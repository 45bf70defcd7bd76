"""Whisper's mel filters and tokenizer, from PyPI's `openai-whisper` (MIT). Nothing else of it."""

from __future__ import annotations

import hashlib
import io
import tarfile
import urllib.request
from pathlib import Path

SDIST = (
    "https://files.pythonhosted.org/packages/35/8e/"
    "d36f8880bcf18ec026a55807d02fe4c7357da9f25aebd92f85178000c0dc/openai_whisper-20250625.tar.gz"
)
SHA256 = "37a91a3921809d9f44748ffc73c0a55c9f366c85a3ef5c2ae0cc09540432eb96"
WANTED = ("mel_filters.npz", "gpt2.tiktoken")


def fetch(folder: Path) -> None:
    """Puts the two files into `folder`, once.

    The package itself is not installed: its dependencies bring gigabytes of CUDA.
    """
    if all((folder / name).exists() for name in WANTED):
        return
    with urllib.request.urlopen(SDIST, timeout=60) as answer:
        data = answer.read()
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise SystemExit(f"{SDIST} has sha256 {found}, not {SHA256}")
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            if Path(member.name).name in WANTED:
                (folder / Path(member.name).name).write_bytes(archive.extractfile(member).read())
