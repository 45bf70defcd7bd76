"""What happens to a voice between the mouth and the recogniser."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.signal import butter, fftconvolve, resample_poly, sosfilt

import opus

RATE = 16_000


def level(audio: np.ndarray) -> float:
    """Root mean square, never 0."""
    return float(np.sqrt(np.mean(audio**2)) + 1e-9)


class Noises:
    """Two minutes of each kind of noise, of which every view takes a random slice."""

    SECONDS = 120

    def __init__(self, rng: np.random.Generator) -> None:
        count = self.SECONDS * RATE
        white = rng.standard_normal(count).astype(np.float32)
        spectrum = np.fft.rfft(white)
        steps = np.maximum(np.arange(len(spectrum)), 1)
        colour = {
            "white": white,
            "pink": np.fft.irfft(spectrum / np.sqrt(steps), count),
            "brown": np.fft.irfft(spectrum / steps, count),
            "hum": self._hum(count, rng),
        }
        self.kinds = {name: (x / level(x)).astype(np.float32) for name, x in colour.items()}

    @staticmethod
    def _hum(count: int, rng: np.random.Generator) -> np.ndarray:
        time = np.arange(count) / RATE
        base = rng.choice((50, 60))
        parts = [np.sin(2 * np.pi * base * k * time) / k for k in (1, 2, 3, 4, 6, 8)]
        return sum(parts) + 0.1 * rng.standard_normal(count)

    def slice(self, length: int, rng: np.random.Generator) -> np.ndarray:
        """`length` samples of some noise at level 1, swelling and fading a little."""
        kind = self.kinds[rng.choice(list(self.kinds))]
        start = rng.integers(0, len(kind) - length)
        swell = np.interp(
            np.arange(length), np.linspace(0, length, 5), rng.uniform(0.5, 1.5, 5)
        ).astype(np.float32)
        return kind[start : start + length] * swell


def room(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The reverberation of a small or middling room: decaying noise behind the direct sound."""
    decay = rng.uniform(0.05, 0.35)
    time = np.arange(int(decay * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * np.exp(-6.9 * time / decay)
    tail[: int(0.002 * RATE)] = 0
    impulse = np.concatenate([[1.0], tail * rng.uniform(0.02, 0.12)]).astype(np.float32)
    return fftconvolve(audio, impulse)[: len(audio)].astype(np.float32)


def telephone(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """300 to 3,400 Hz, roughly."""
    low, high = rng.uniform(200, 400), rng.uniform(2_800, 3_700)
    band = butter(4, (low, high), "bandpass", fs=RATE, output="sos")
    return sosfilt(band, audio).astype(np.float32)


def tilt(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A microphone that is dull or sharp."""
    first = np.append(0, audio[:-1])
    return (audio + rng.uniform(-0.7, 0.5) * first).astype(np.float32)


def speed(audio: np.ndarray, factor: float) -> np.ndarray:
    """Played `factor` times as fast, pitch and all."""
    ratio = Fraction(1 / factor).limit_denominator(50)
    return resample_poly(audio, ratio.numerator, ratio.denominator).astype(np.float32)


def view(audio: np.ndarray, noises: Noises, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """One way in which `audio` may arrive, with some quiet around it; and where it ends, in s."""
    wild = rng.random()  # below 0.2 clean, above 0.6 with everything

    def maybe(share: float) -> bool:
        return wild > 0.2 and rng.random() < share * (1.0 if wild > 0.6 else 0.35)

    if maybe(0.6):
        audio = speed(audio, rng.uniform(0.88, 1.14))
    lead = int(rng.choice((0.0, 0.05, 0.2, 0.5)) * rng.random() * RATE)
    trail = int(rng.choice((0.05, 0.2, 0.6)) * rng.random() * RATE)
    end = (lead + len(audio)) / RATE
    audio = np.pad(audio, (lead, trail))
    if maybe(0.4):
        audio = room(audio, rng)
    if maybe(0.5):
        audio = tilt(audio, rng)
    loud = level(audio)
    if maybe(0.8):
        snr = rng.uniform(8, 30) if wild > 0.6 else rng.uniform(20, 45)
        audio = audio + noises.slice(len(audio), rng) * (loud * 10 ** (-snr / 20))
    if maybe(0.12):
        audio = np.clip(audio, -2.5 * loud, 2.5 * loud)
    if maybe(0.2):
        audio = telephone(audio, rng)
    # Speech in voice notes lies between about -38 and -12 dB of full scale.
    audio = audio * (10 ** (rng.uniform(-38, -12) / 20) / level(audio))
    audio = np.clip(audio, -1, 1).astype(np.float32)
    if wild > 0.2 and rng.random() < 0.6:
        audio = opus.round_trip(
            audio, int(rng.choice((12_000, 16_000, 16_000, 20_000, 24_000, 32_000))),
            int(rng.choice((20, 60))),
        )  # fmt: skip
    return audio, end


def _overtones(turns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A note with up to seven overtones, of an instrument at random. `turns` is its phase."""
    count, softness = rng.integers(1, 9), rng.choice((1, 1.5, 2))
    return sum(np.sin(2 * np.pi * n * turns) / n**softness for n in range(1, count + 1))


def nothing_said(noises: Noises, rng: np.random.Generator) -> np.ndarray:
    """0.2 to 8 s in which nobody speaks: silence, noise, hum, tones, chords, clicks."""
    length = int(rng.choice((1.0, 3.0, 8.0)) * rng.uniform(0.2, 1.0) * RATE)
    time = np.arange(length) / RATE
    kind = rng.choice((0, 1, 2, 3, 3, 4, 4, 5, 6))
    if kind == 0:
        return np.zeros(length, np.float32)
    if kind <= 2:
        audio = noises.slice(length, rng)
    elif kind == 3:  # chords, struck or held
        beat = rng.uniform(0.2, 1.5)
        since = time % beat
        base = rng.choice(rng.uniform(80, 400, 4), int(time[-1] / beat) + 1)
        base = base[(time / beat).astype(int)]
        decay = np.exp(-since * rng.choice((0, 2, 6)))
        audio = decay * sum(
            _overtones(base * step * time, rng)
            for step in rng.choice((1, 1.2, 1.25, 1.333, 1.5, 1.667, 2), 3)
        )
    elif kind == 4:  # a tune, with or without vibrato, its notes joined or apart
        beat = rng.uniform(0.08, 0.5)
        notes = 110 * 2 ** (rng.integers(0, 36, int(time[-1] / beat) + 1) / 12)
        pitch = notes[(time / beat).astype(int)]
        pitch = pitch * (1 + rng.choice((0, 0.01, 0.02)) * np.sin(2 * np.pi * 5.5 * time))
        apart = np.sin(np.pi * (time % beat) / beat) if rng.random() < 0.6 else 1
        audio = apart * _overtones(np.cumsum(pitch) / RATE, rng)
    elif kind == 5:  # a sweep or one tone
        low, high = rng.uniform(100, 3_000, 2)
        audio = np.sin(2 * np.pi * (low * time + (high - low) * time**2 / (2 * time[-1] + 1e-9)))
    else:  # clicks and knocks in faint noise
        audio = 0.02 * noises.slice(length, rng)
        for start in rng.integers(0, length, rng.integers(1, 12)):
            knock = rng.standard_normal(800) * np.exp(-np.arange(800) / rng.uniform(20, 200))
            audio[start : start + 800] += knock[: length - start]
    if rng.random() < 0.5:
        audio = audio + noises.slice(length, rng) * (level(audio) * rng.uniform(0.01, 0.5))
    audio = audio * (10 ** (rng.uniform(-65, -10) / 20) / level(audio))
    audio = np.clip(audio, -1, 1).astype(np.float32)
    if rng.random() < 0.5 and length > 2_000:
        audio = opus.round_trip(audio, int(rng.choice((12_000, 16_000, 24_000))))
    return audio
