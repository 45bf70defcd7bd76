# Unproven: no container engine was at hand where this was written, so this image was never built.
#
#   docker build -t hark --build-arg HARK_COMMIT="$(git show -s --format='%h %cs')" .
#   docker run -p 8080:8080 -v hark:/data --stop-timeout 35 hark
#
# /data holds the store, hark.toml and, under models/, the whisper model. On SIGTERM running turns
# get 25 s to finish, hence the stop timeout. For a graphics card: docs/GPU.md.

ARG BUILD_IMAGE=rust:1.95-bookworm
ARG RUN_IMAGE=debian:12-slim

FROM ${BUILD_IMAGE} AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates cmake curl g++ pkg-config python3-pip \
    && rm -rf /var/lib/apt/lists/*
# An image for a graphics card has its compiler, and no Rust.
ENV PATH="/root/.cargo/bin:${PATH}"
RUN command -v cargo \
    || curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal
WORKDIR /hark
# .cargo/config.toml sets what whisper.cpp is built with: portable, not this machine's CPU.
COPY . .
# The voice that becomes part of the program. Without it espeak-ng speaks.
RUN python3 models/voices/fetch.py || [ $? -eq 75 ]
# Cargo features beside the usual ones, such as cuda; one kind of card, such as 90-real, builds faster.
ARG FEATURES=""
ARG CUDA_ARCHITECTURES=""
ARG HARK_COMMIT=""
RUN env ${CUDA_ARCHITECTURES:+CMAKE_CUDA_ARCHITECTURES=${CUDA_ARCHITECTURES}} \
    cargo build --release --locked --features "${FEATURES}"

FROM ${RUN_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl espeak-ng libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /data --create-home hark
COPY --from=builder /hark/target/release/hark /usr/local/bin/hark
USER hark
WORKDIR /data
VOLUME /data
ENV HARK__STORE__URL=/data/hark.db
# As in deploy/hark.service.
ENV MALLOC_ARENA_MAX=2
# A platform that sets another $PORT is followed: hark then listens on all addresses at that port.
ENV PORT=8080
EXPOSE 8080
# /metrics is on 127.0.0.1:8081 in here; HARK__SERVER__ADMIN_LISTEN=0.0.0.0:8081 lets others in.
# The start covers loading and warming a model.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD curl -fsS "http://127.0.0.1:${PORT}/health" || exit 1
CMD ["hark", "serve"]
