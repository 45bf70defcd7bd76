"""Whisper's log-mel spectrogram as whisper.cpp computes it, quantised to a byte a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

RATE, FFT, HOP = 16_000, 400, 160
# Values span 8 decades at most, 2 after the division by 4.
SPAN = 2.0


@dataclass
class Mel:
    """`frames` is (n, 80) uint8: 0 is `floor`, 255 is `floor` + 2. Silence is `floor`."""

    frames: np.ndarray
    floor: float

    def values(self) -> np.ndarray:
        """(n, 80) float32, what whisper's encoder gets."""
        return self.floor + self.frames.astype(np.float32) * (SPAN / 255)


class MelSpectrogram:
    def __init__(self, assets: Path) -> None:
        with np.load(assets / "mel_filters.npz") as file:
            self.filters = file["mel_80"].astype(np.float32)
        self.window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)

    def __call__(self, audio: np.ndarray) -> Mel:
        """Of 16 kHz mono float32. 100 frames a second, to where the last sample is heard.

        whisper.cpp appends 30 s of zeros before it takes the maximum, so a note with nothing in
        it comes out as the floor everywhere; it mirrors the first samples in front.
        """
        count = len(audio) // HOP + 2
        padded = np.zeros(count * HOP + FFT, np.float32)
        padded[FFT // 2 : FFT // 2 + len(audio)] = audio
        head = audio[1 : FFT // 2 + 1][::-1]
        padded[FFT // 2 - len(head) : FFT // 2] = head
        frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:count]
        spectrum = np.fft.rfft(frames * self.window, axis=1)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        logs = np.log10(np.maximum(power @ self.filters.T, 1e-10))
        low = max(logs.max() - 8.0, -10.0)
        scaled = (np.maximum(logs, low) - low) / 4 * (255 / SPAN)
        return Mel(np.rint(scaled).astype(np.uint8), float((low + 4) / 4))
