# The image of every synthscale process: one Python, the pinned libraries, our rooms, nothing else.
#
# Both bases come by digest, because a tag is a promise that others may change:
#
#     docker build \
#         --build-arg BUILD_IMAGE=docker.io/library/python:3.11-slim-bookworm@sha256:... \
#         --build-arg RUN_IMAGE=gcr.io/distroless/python3-debian12:nonroot@sha256:... \
#         --tag synthscale:0.1.0 .
#
# They must hold the same Python, which may lie in different places: nothing is linked to a path.
# RUN_IMAGE needs no shell and no package manager.
ARG BUILD_IMAGE
ARG RUN_IMAGE

FROM ${BUILD_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
# Libraries first: they change seldom, and a layer that is there is not made again.
COPY requirements/run.txt requirements/run.txt
RUN ["python3", "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:", \
     "--target=/libraries", "--requirement=requirements/run.txt"]
COPY LICENSE README.md pyproject.toml ./
COPY autoscaler autoscaler
COPY gpu_fleet gpu_fleet
COPY service_runtime service_runtime
COPY scheduler_extender scheduler_extender
COPY simulations simulations
COPY synthscale synthscale
# The backend is among the pinned libraries; nothing unpinned is fetched to build.
ENV PYTHONPATH=/libraries
RUN ["python3", "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", \
     "--target=/rooms", "."]

FROM ${RUN_IMAGE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="synthscale" \
      org.opencontainers.image.description="Places, scales and routes GPU and AI-agent work" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /libraries /opt/synthscale/libraries
COPY --from=build /rooms /opt/synthscale/rooms
# The file system is read-only where it runs: no bytecode is written, and compiled kernels go to
# the one folder that the Deployment mounts (without it they are compiled at each start).
ENV PYTHONPATH=/opt/synthscale/rooms:/opt/synthscale/libraries \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/var/cache/synthscale
# A number, so that runAsNonRoot can be checked without looking into the image.
USER 65532:65532
# Kubernetes probes it; a HEALTHCHECK would be a second opinion that nobody reads.
ENTRYPOINT ["python3", "-m", "synthscale"]
CMD ["--help"]
