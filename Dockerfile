# Two images from one wheel: `api` without torch (also migrates), and `worker` with it, for CPU and CUDA alike.
# The pinned versions are those of constraints.txt.

FROM python:3.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore ACTLAB_HOME=/data
# A named volume takes the owner of the folder that it is mounted on, so /data exists before.
RUN useradd --uid 10001 --create-home actlab && install --directory --owner=actlab --group=actlab /data
WORKDIR /data
COPY constraints.txt /constraints.txt

FROM base AS wheel
COPY . /source
RUN pip wheel --no-deps --wheel-dir /wheels /source

FROM base AS api
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /constraints.txt /wheels/*.whl
USER actlab
EXPOSE 8000
CMD ["actlab", "serve"]

FROM base AS worker
# A layer of its own: it holds gigabytes, and only another pinned version should build or send it again.
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /constraints.txt torch
RUN --mount=type=bind,from=wheel,source=/wheels,target=/wheels --mount=type=cache,target=/root/.cache/pip \
    pip install --constraint /constraints.txt "$(echo /wheels/*.whl)[worker]"
USER actlab
CMD ["actlab", "worker"]
