"""Hears with another program at settings of ours: rival.py pywhispercpp|faster-whisper MODEL SETTINGS

Lines come and go as in benches/ears/rivals.py. SETTINGS is JSON: `threads` (null is the program's own
default), `beam`, and `fallback`, whether doubtful words are heard again at higher temperatures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ears"))
import rivals  # noqa: E402

Hear = Callable[[Any, str | None, int], str]


def pywhispercpp(model: str, threads: int | None, beam: int, fallback: bool) -> Hear:
    from pywhispercpp.model import Model

    options: dict[str, Any] = {"n_threads": threads} if threads else {}
    if beam > 1:
        options |= {"params_sampling_strategy": 1, "beam_search": {"beam_size": beam, "patience": -1.0}}
    if not fallback:
        options["temperature_inc"] = 0.0
    quiet = {"print_progress": False, "redirect_whispercpp_logs_to": None}
    heard = Model(model, **quiet, **options)

    def hear(samples: Any, language: str | None, _: int) -> str:
        # A language stays for the next call, so it is always given.
        return "".join(s.text for s in heard.transcribe(samples, language=language or "auto"))

    return hear


def faster_whisper(folder: str, threads: int | None, beam: int, fallback: bool) -> Hear:
    from faster_whisper import WhisperModel

    heard = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads or 0)
    options: dict[str, Any] = {} if fallback else {"temperature": 0.0}

    def hear(samples: Any, language: str | None, _: int) -> str:
        segments, _about = heard.transcribe(samples, language=language, beam_size=beam, **options)
        # It hears while its segments are asked for.
        return "".join(segment.text for segment in segments)

    return hear


LOAD = {"pywhispercpp": pywhispercpp, "faster-whisper": faster_whisper}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in LOAD:
        sys.exit(__doc__)
    name, model, settings = sys.argv[1:]
    rivals.serve(name, lambda: LOAD[name](model, **json.loads(settings)))
