# Two images from one wheel: `api` with the extra `server` (also migrates), and `worker` with the extra of this name, which
# has torch, for CPU and CUDA alike.
# The pinned versions are those of constraints.txt; all but torch are checked against the hashes of locks/.

FROM python:3.11-slim-bookworm AS base
LABEL org.opencontainers.image.title="ActLab" \
      org.opencontainers.image.description="Experiments that show which activation function suits a network, and why." \
      org.opencontainers.image.licenses="Apache-2.0"
# The root file system may be read-only: what is written goes to /data and /tmp.
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    ACTLAB_HOME=/data MPLCONFIGDIR=/tmp/matplotlib
# A named volume takes the owner of the folder that it is mounted on, so /data exists before.
RUN useradd --uid 10001 --create-home actlab && install --directory --owner=actlab --group=actlab /data
WORKDIR /data
COPY constraints.txt /constraints.txt
COPY locks /locks

FROM base AS wheel
COPY . /source
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement /locks/api.txt && \
    python -m venv /docs && /docs/bin/pip install --require-hashes --no-deps --requirement /locks/docs.txt && \
    /docs/bin/python /source/scripts/guide.py && \
    pip wheel --no-deps --no-build-isolation --wheel-dir /wheels /source

FROM base AS api
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement /locks/api.txt && \
    pip install --no-deps /wheels/*.whl
USER 10001
EXPOSE 8000
CMD ["actlab", "serve"]

FROM base AS worker
# A layer of its own: it holds gigabytes, and only another pinned version should build or send it again.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /constraints.txt torch
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \
    pip install --require-hashes --no-deps --requirement /locks/worker.txt && \
    pip install --constraint /constraints.txt "$(echo /wheels/*.whl)[worker]"
USER 10001
CMD ["actlab", "worker"]
