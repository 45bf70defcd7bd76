# Unproven: no container engine was at hand where this was written, so this image was never built.
#
#   docker build -t hark .
#   docker run -p 8080:8080 -v hark:/data --stop-timeout 35 hark
#
# /data holds the store, hark.toml and, under models/, the whisper model. On SIGTERM running turns
# get 25 s to finish, hence the stop timeout.

FROM rust:1.95-bookworm AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends cmake \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /hark
# .cargo/config.toml sets what whisper.cpp is built with: portable, not this machine's CPU.
COPY . .
RUN cargo build --release --locked

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl espeak-ng libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home hark
COPY --from=builder /hark/target/release/hark /usr/local/bin/hark
USER hark
WORKDIR /data
VOLUME /data
ENV HARK__STORE__URL=/data/hark.db
# A platform that sets another $PORT is followed: hark then listens on all addresses at that port.
ENV PORT=8080
EXPOSE 8080
# The start covers loading and warming a model.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD curl -fsS "http://127.0.0.1:${PORT}/health" || exit 1
CMD ["hark", "serve"]
