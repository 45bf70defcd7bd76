"""Opus through libopus: what a voice note loses on its way."""

from __future__ import annotations

import ctypes
import ctypes.util

import numpy as np

_VOIP, _SET_BITRATE, _SET_COMPLEXITY, _GET_LOOKAHEAD = 2048, 4002, 4010, 4027
RATE = 16_000

_lib = ctypes.CDLL(ctypes.util.find_library("opus") or "libopus.so.0")
_lib.opus_encoder_create.restype = ctypes.c_void_p
_lib.opus_decoder_create.restype = ctypes.c_void_p
_floats = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
_lib.opus_encode_float.argtypes = [
    ctypes.c_void_p, _floats, ctypes.c_int, ctypes.c_char_p, ctypes.c_int32,
]  # fmt: skip
_lib.opus_decode_float.argtypes = [
    ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, _floats, ctypes.c_int, ctypes.c_int,
]  # fmt: skip


def round_trip(audio: np.ndarray, bitrate: int, frame_ms: int = 20) -> np.ndarray:
    """`audio` (16 kHz mono float32) encoded at `bitrate` bit/s and decoded, of the same length."""
    error = ctypes.c_int()
    encoder = ctypes.c_void_p(_lib.opus_encoder_create(RATE, 1, _VOIP, ctypes.byref(error)))
    decoder = ctypes.c_void_p(_lib.opus_decoder_create(RATE, 1, ctypes.byref(error)))
    _lib.opus_encoder_ctl(encoder, _SET_BITRATE, ctypes.c_int32(bitrate))
    _lib.opus_encoder_ctl(encoder, _SET_COMPLEXITY, ctypes.c_int32(0))
    lookahead = ctypes.c_int32()
    _lib.opus_encoder_ctl(encoder, _GET_LOOKAHEAD, ctypes.byref(lookahead))
    size = RATE * frame_ms // 1000
    count = -(-(len(audio) + lookahead.value) // size)
    padded = np.zeros(count * size, np.float32)
    padded[: len(audio)] = np.clip(audio, -1, 1)
    decoded = np.zeros_like(padded)
    packet = ctypes.create_string_buffer(4000)
    for start in range(0, len(padded), size):
        length = _lib.opus_encode_float(encoder, padded[start:], size, packet, len(packet))
        if length < 0 or _lib.opus_decode_float(
            decoder, packet, length, decoded[start:], size, 0
        ) != size:
            raise RuntimeError("libopus refused a frame")
    _lib.opus_encoder_destroy(encoder)
    _lib.opus_decoder_destroy(decoder)
    return decoded[lookahead.value : lookahead.value + len(audio)]
