"""Who speaks: the speech engines Debian has, each run as a process of its own."""

from __future__ import annotations

import io
import random
import subprocess
import tempfile
import wave
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

RATE = 16_000

# Never trained on: `evaluate` and the repository's audio-fixtures speak with these.
HELD_OUT_VARIANTS = ("f4", "m5", "adam", "linda", "steph2", "Michael", "klatt3", "max")
HELD_OUT_ACCENTS = ("en-gb-scotland",)
HELD_OUT_FLITE = ("rms",)
HELD_OUT_FESTIVAL = ("ked_diphone",)

ACCENTS = {
    "en-us": 5, "en-gb": 5, "en-gb-x-rp": 2, "en-gb-x-gbclan": 1, "en-gb-x-gbcwmd": 1,
    "en-029": 1, "en-us-nyc": 1,
}  # fmt: skip
# espeak 1.48 has its own formants and fewer variants.
OLD_ACCENTS = {"en": 2, "en-us": 2, "en-rp": 1, "en-n": 1, "en-wi": 1}
OLD_VARIANTS = ("", "m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f5", "klatt", "croak")
FLITE = {"slt": 10, "awb": 8, "kal16": 5, "kal": 4}
FESTIVAL = {"cmu_us_slt_arctic_hts": 6, "kal_diphone": 5}
ENGINES = {"espeak-ng": 50, "espeak": 6, "flite": 27, "festival": 17}
# Sound effects more than voices.
NOT_VOICES = {"Demonic", "announcer", "fast", "UniRobot", "Tweaky"}


@dataclass(frozen=True)
class Style:
    """One way to say a sentence."""

    engine: str
    voice: str  # e.g. en-us+f3, slt
    tempo: float  # 1 is the engine's own, more is slower
    pitch: float  # 0..1, 0.5 is the voice's own
    formants: float  # factor on all resonances, by resampling; the tempo is kept

    @property
    def name(self) -> str:
        return f"{self.engine}/{self.voice}"


def espeak_variants() -> list[str]:
    """The variants of the installed espeak-ng that training may use."""
    listed = subprocess.run(
        ["espeak-ng", "--voices=variant"], capture_output=True, text=True, check=True
    ).stdout
    names = [part for part in listed.split() if part.startswith("!v/")]
    left_out = {*HELD_OUT_VARIANTS, *NOT_VOICES}
    return sorted({name[3:] for name in names} - left_out)


def pick(weights: dict[str, int], rng: random.Random) -> str:
    return rng.choices(list(weights), list(weights.values()))[0]


def training_style(rng: random.Random, variants: list[str]) -> Style:
    """A random style of the voices that training uses."""
    engine = pick(ENGINES, rng)
    tempo, pitch = rng.triangular(0.78, 1.35, 1.0), rng.random()
    if engine == "espeak-ng":
        variant = rng.choice(["", "", "", *variants])
        voice = pick(ACCENTS, rng) + (f"+{variant}" if variant else "")
    elif engine == "espeak":
        variant = rng.choice(OLD_VARIANTS)
        voice = pick(OLD_ACCENTS, rng) + (f"+{variant}" if variant else "")
    else:
        voice = pick(FLITE if engine == "flite" else FESTIVAL, rng)
    few_voices = engine in ("flite", "festival")
    varied = rng.random() < (0.8 if few_voices else 0.4)
    formants = rng.uniform(0.84, 1.2) if varied else 1.0
    return Style(engine, voice, tempo, pitch, formants)


def held_out_style(rng: random.Random) -> Style:
    """A random style of a voice that training never hears: speed and pitch as people choose."""
    kind = rng.random()
    tempo, pitch = rng.uniform(0.9, 1.15), rng.uniform(0.35, 0.65)
    if kind < 0.15:
        return Style("flite", rng.choice(HELD_OUT_FLITE), tempo, pitch, 1.0)
    if kind < 0.3:
        return Style("festival", rng.choice(HELD_OUT_FESTIVAL), tempo, pitch, 1.0)
    if kind < 0.4:
        return Style("espeak-ng", rng.choice(HELD_OUT_ACCENTS), tempo, pitch, 1.0)
    voice = f"{rng.choice(('en-us', 'en-gb'))}+{rng.choice(HELD_OUT_VARIANTS)}"
    return Style("espeak-ng", voice, tempo, pitch, 1.0)


def seen_style(rng: random.Random, variants: list[str]) -> Style:
    """A style of training's voices as people choose it: no resampling, no extremes."""
    style = training_style(rng, variants)
    return Style(style.engine, style.voice, rng.uniform(0.9, 1.15), rng.uniform(0.35, 0.65), 1.0)


def speak(said: list[tuple[str, Style]]) -> list[np.ndarray | None]:
    """Says every (text, style): 16 kHz mono, float32 in -1..1, the silence around it cut off.

    None where an engine gave no sound (an engine that crashes on a text costs that text only).
    """
    spoken: list[np.ndarray | None] = [None] * len(said)
    festival = [i for i, (_, style) in enumerate(said) if style.engine == "festival"]
    for i, (raw, rate) in _festival([said[i] for i in festival], festival):
        spoken[i] = _finish(raw, rate, said[i][1])
    for i, (text, style) in enumerate(said):
        if style.engine != "festival":
            spoken[i] = _finish(*_RUN[style.engine](text, style), style)
    return spoken


def _finish(raw: np.ndarray, rate: int, style: Style) -> np.ndarray | None:
    # Playing r times faster raises formants and pitch by r; the engine spoke r times slower.
    ratio = Fraction(RATE / (rate * style.formants)).limit_denominator(160)
    audio = resample_poly(raw.astype(np.float32) / 32_768, ratio.numerator, ratio.denominator)
    loud = np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max()) if audio.size else []
    if len(loud) < RATE // 20:
        return None
    return np.ascontiguousarray(audio[loud[0] : loud[-1] + 1], dtype=np.float32)


def _read_wav(data: bytes) -> tuple[np.ndarray, int]:
    """Samples and rate of a WAV whose sizes may be wrong (a pipe's are)."""
    with wave.open(io.BytesIO(data)) as file:
        rate = file.getframerate()
    start = data.find(b"data") + 8
    body = data[start : start + (len(data) - start) // 2 * 2]
    return np.frombuffer(body, dtype="<i2"), rate


def _espeak(program: str):
    def run(text: str, style: Style) -> tuple[np.ndarray, int]:
        stretch = style.tempo * style.formants
        pitch = round(25 + 50 * style.pitch)
        args = ["-v", style.voice, "-s", str(round(160 / stretch)), "-p", str(pitch)]
        done = subprocess.run([program, *args, "--stdout", text], capture_output=True, check=False)
        return _read_wav(done.stdout) if len(done.stdout) > 44 else (np.zeros(0, np.int16), RATE)

    return run


def _flite(text: str, style: Style) -> tuple[np.ndarray, int]:
    shift = 0.75 + 0.5 * style.pitch
    options = ["--setf", f"duration_stretch={style.tempo * style.formants:.3f}"]
    if style.voice.startswith("kal"):
        options += ["--setf", f"int_f0_target_mean={95 * shift:.1f}"]
    else:
        options += ["--setf", f"f0_shift={shift:.3f}"]
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        command = ["flite", "-voice", style.voice, *options, "-t", text, "-o", file.name]
        subprocess.run(command, capture_output=True, check=False)
        data = Path(file.name).read_bytes()
    return _read_wav(data) if len(data) > 44 else (np.zeros(0, np.int16), RATE)


def _festival(said: list[tuple[str, Style]], names: list[int]):
    """Says many in one process: festival takes a second to start. Yields (name, sound)."""
    if not said:
        return
    with tempfile.TemporaryDirectory() as folder:
        script = [
            "(define (say text file)"
            " (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text))) file 'riff))"
        ]
        for name, (text, style) in sorted(zip(names, said), key=lambda item: item[1][1].voice):
            stretch, pitch = style.tempo * style.formants, style.pitch - 0.5
            script.append(f"(voice_{style.voice})")
            script.append(f"(Parameter.set 'Duration_Stretch {stretch:.3f})")
            if style.voice.endswith("hts"):
                script.append(
                    "(set! hts_engine_params (append hts_engine_params (list"
                    f" (list \"-fm\" {8 * pitch:.2f}) (list \"-r\" {1 / stretch:.3f}))))"
                )
            else:
                script.append(
                    f"(set! int_lr_params '((target_f0_mean {105 * (1 + pitch):.0f})"
                    " (target_f0_std 14) (model_f0_mean 170) (model_f0_std 34)))"
                )
            script.append(f'(say "{text}" "{folder}/{name}.wav")')
        path = Path(folder, "say.scm")
        path.write_text("\n".join(script))
        subprocess.run(["festival", "-b", str(path)], capture_output=True, check=False)
        for name in names:
            file = Path(folder, f"{name}.wav")
            if file.exists() and file.stat().st_size > 44:
                yield name, _read_wav(file.read_bytes())


_RUN = {"espeak-ng": _espeak("espeak-ng"), "espeak": _espeak("espeak"), "flite": _flite}
