# syntax=docker/dockerfile:1
# One image for each service: docker build --build-arg SERVICE=intake --tag huiyin/intake:0.1.0 .
# It fetches crates while it is built, and nothing when it runs.

# That of rust-toolchain.toml, which stays outside: it would have rustup fetch what only a desk needs.
ARG RUST=1.95.0
ARG DEBIAN=bookworm

FROM rust:${RUST}-slim-${DEBIAN} AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
# protoc is asked for by the build of the validation rules; its version does not reach the image.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates protobuf-compiler \
    && rm -rf /var/lib/apt/lists/*
# Says what is in the image, in its own words: CycloneDX, from Cargo.lock.
RUN --mount=type=cache,target=/usr/local/cargo/registry cargo install --locked cargo-cyclonedx@0.5.9
WORKDIR /src
COPY . .
ARG SERVICE
# Six images are built from one target folder: what they share is compiled once. Nothing of the caches is in a layer, so that what is
# wanted is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,sharing=locked \
    test -d "services/${SERVICE:?is one of intake, classifier, scheduler, notification, survey, analytics}" \
    && cargo build --locked --release --package "${SERVICE}" --bin "${SERVICE}" \
    && cargo cyclonedx --format json --spec-version 1.5 --override-filename sbom --manifest-path "services/${SERVICE}/Cargo.toml" \
    && install -D "target/release/${SERVICE}" /image/usr/local/bin/service \
    && install -D --mode 0444 "services/${SERVICE}/sbom.json" /image/usr/share/huiyin/sbom.cdx.json \
    && install -D --mode 0444 "services/${SERVICE}/config.example.toml" /image/usr/share/huiyin/config.example.toml \
    && install -D --mode 0444 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt

FROM debian:${DEBIAN}-slim
ARG DEBIAN
ARG SERVICE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="huiyin-${SERVICE}" \
      org.opencontainers.image.description="Huiyin's ${SERVICE}: gRPC services for customer feedback" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="debian:${DEBIAN}-slim" \
      huiyin.sbom="/usr/share/huiyin/sbom.cdx.json" \
      huiyin.sbom.format="application/vnd.cyclonedx+json;version=1.5"
COPY --from=build /image /
# A number, so that Kubernetes can see that it is not root. Nothing is written but to volumes: the root may be read-only.
USER 65532:65532
WORKDIR /var/lib/huiyin
# gRPC; probes and metrics.
EXPOSE 50051 8081
STOPSIGNAL SIGTERM
# `--config FILE` serves; `migrate`, `check` and `config-schema` do what they say.
ENTRYPOINT ["/usr/local/bin/service"]
