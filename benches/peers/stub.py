"""Plays a language model and a speech server with OpenAI's API, at a steady pace: uvicorn stub:app

Whatever is asked, the answer is the same thirty words. The first token comes after 150 ms, and 60
follow in a second; a token is a word. Speech is no voice but a tone for each word, a third of a second
long: thirty words are 10 s. The first sound comes after 80 ms, the rest at a tenth of its length.
Each request has its pace to itself, as at a hosted service.
"""

from __future__ import annotations

import asyncio
import json
import math
import struct
import time
from array import array
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

TEXT = (
    "Thank you for your message about the order. It left our warehouse on Monday and should reach you "
    "by Thursday. I have also sent you the tracking number by text."
)

FIRST_TOKEN_S = 0.150
TOKENS_PER_S = 60
FIRST_AUDIO_S = 0.080
RTF = 0.1  # seconds of work a second of sound

RATE = 24_000
WORD_S = 1 / 3
PIECE_S = 0.1  # of sound in one piece of a body

app = FastAPI()


class Pace:
    """Waits for moments of one answer, counted from its beginning, so that delays do not add up."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    async def until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, self.began + seconds - time.perf_counter()))


@app.get("/v1/models")
def models() -> dict[str, Any]:
    return {"object": "list", "data": []}


@app.post("/v1/chat/completions")
async def chat(request: Request) -> Response:
    pace, asked = Pace(), await request.json()
    tokens = [word + " " for word in TEXT.split()]
    tokens[-1] = tokens[-1].strip()
    if asked.get("stream"):
        await pace.until(FIRST_TOKEN_S)
        return StreamingResponse(stream(pace, tokens), media_type="text/event-stream")
    await pace.until(token_at(len(tokens) - 1))
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({"id": "1", "object": "chat.completion", "model": "paced", "choices": [choice]})


def token_at(place: int) -> float:
    return FIRST_TOKEN_S + place / TOKENS_PER_S


async def stream(pace: Pace, tokens: list[str]) -> AsyncIterator[str]:
    for place, token in enumerate(tokens):
        await pace.until(token_at(place))
        yield event({"content": token}, None)
    yield event({}, "stop")
    yield "data: [DONE]\n\n"


def event(delta: dict[str, str], reason: str | None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = {"id": "1", "object": "chat.completion.chunk", "model": "paced", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n"


@app.post("/v1/audio/speech")
async def speech(request: Request) -> Response:
    pace, asked = Pace(), await request.json()
    samples = tones(len(asked["input"].split()))
    head = wav_head(len(samples)) if asked.get("response_format") == "wav" else b""
    kind = "audio/wav" if head else "audio/pcm"
    await pace.until(FIRST_AUDIO_S)
    return StreamingResponse(pieces(pace, head, samples), media_type=kind)


async def pieces(pace: Pace, head: bytes, samples: bytes) -> AsyncIterator[bytes]:
    if head:
        yield head
    step = 2 * int(PIECE_S * RATE)
    for place in range(0, len(samples), step):
        await pace.until(FIRST_AUDIO_S + RTF * place / 2 / RATE)
        yield samples[place : place + step]
    await pace.until(FIRST_AUDIO_S + RTF * len(samples) / 2 / RATE)


@cache
def tones(words: int) -> bytes:
    """Hums a tone for each word, each other than the one before, with a little silence after it."""
    length = round(WORD_S * RATE)
    sounding = round(0.9 * length)
    sound = array("h")
    for word in range(words):
        step = math.tau * (200 + 40 * (word % 5)) / RATE
        sound.extend(round(9000 * math.sin(step * at)) for at in range(sounding))
        sound.extend(0 for _ in range(length - sounding))
    return sound.tobytes()


def wav_head(size: int) -> bytes:
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        36 + size,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        RATE,
        2 * RATE,
        2,
        16,
        b"data",
        size,
    )
