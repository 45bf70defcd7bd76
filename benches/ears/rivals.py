"""Hears with another program, for `make ears`: one line of JSON in, one out.

    rivals.py pywhispercpp MODEL.bin THREADS
    rivals.py faster-whisper FOLDER THREADS

In:  {"sound": file of 16 kHz float32 samples, "language": "en" or null, "beam": 1}
Out: {"text": ..., "cpu_s": ..., "wall_s": ...} or {"error": ...}; before all, {"version": ...} or the
     error for which nothing follows

Loading, and one silent second, come before the first line. CPU seconds are those of the whole
process, user and system, around the call alone: the samples are read before it.
"""

import importlib.metadata
import json
import os
import signal
import sys
import time

# No model is looked for elsewhere.
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np

RATE = 16_000


def pywhispercpp(model, threads):
    from pywhispercpp.model import Model

    heard = Model(model, n_threads=threads, print_progress=False, redirect_whispercpp_logs_to=None)

    def hear(samples, language, beam):
        # Its defaults. A language stays for the next call, so it is always given.
        return "".join(s.text for s in heard.transcribe(samples, language=language or "auto"))

    return hear


def faster_whisper(folder, threads):
    from faster_whisper import WhisperModel

    heard = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)

    def hear(samples, language, beam):
        segments, _ = heard.transcribe(samples, language=language, beam_size=beam)
        # It hears while its segments are asked for.
        return "".join(segment.text for segment in segments)

    return hear


RIVALS = {"pywhispercpp": pywhispercpp, "faster-whisper": faster_whisper}


def measure(hear, samples, language, beam):
    cpu, wall = time.process_time(), time.perf_counter()
    text = hear(samples, language, beam)
    return {
        "text": text.strip(),
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
    }


def answer(hear, line):
    try:
        asked = json.loads(line)
        samples = np.fromfile(asked["sound"], dtype="<f4")
        return measure(hear, samples, asked["language"], asked["beam"])
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def serve(rival, load):
    """Answers lines with what `load` makes until there are no more."""
    # Ctrl-C is for the program that started this one; the end of its lines ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # whisper.cpp prints on stdout, too: what is ours alone goes where stdout went.
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(words):
        print(json.dumps(words), file=lines, flush=True)

    try:
        hear = load()
        hear(np.zeros(RATE, dtype=np.float32), "en", 1)
    except Exception as error:
        return say({"error": f"{type(error).__name__}: {error}"})
    say({"version": importlib.metadata.version(rival)})
    for line in sys.stdin:
        say(answer(hear, line))


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in RIVALS:
        sys.exit(__doc__)
    name, model, threads = sys.argv[1:]
    serve(name, lambda: RIVALS[name](model, int(threads)))
