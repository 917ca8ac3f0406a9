# Python services: third-party distributions, workspace packages, and nothing that made them.
# The context holds requirements.txt (the service's slice of the lock), wheels/ (workspace packages),
# include/ and finish.py. Contexts beside it: `base`, `uv` and `build`, which is `base` unless the
# service names another. The engine appends what differs. Whole directories are copied, so that no
# other is made on the way, which would have the time of the build.

FROM build AS prepared
ARG SOURCE_DATE_EPOCH
ENV UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never \
    PYTHONHASHSEED=0 SSL_CERT_FILE=/run/secrets/certificates

FROM prepared AS dependencies
RUN --mount=type=bind,from=uv,target=/uv \
    ["/uv/uv", "venv", "--quiet", "--python", "/usr/bin/python3", "/opt/venv"]
RUN --mount=type=cache,id=uv,target=/cache/uv --mount=type=bind,from=uv,target=/uv \
    --mount=type=secret,id=certificates --mount=type=secret,id=index,target=/run/secrets/uv.toml \
    --mount=type=bind,source=requirements.txt,target=/in/requirements.txt \
    ["/uv/uv", "--cache-dir", "/cache/uv", "--config-file", "/run/secrets/uv.toml", "pip", "install", "--quiet", "--python", "/opt/venv", "--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", "/in/requirements.txt"]
RUN --mount=type=bind,source=finish.py,target=/in/finish.py \
    ["python3", "/in/finish.py", "/opt/venv", "/out"]

FROM prepared AS application
RUN --mount=type=bind,from=uv,target=/uv --mount=type=bind,source=wheels,target=/in/wheels \
    ["/uv/uv", "--no-cache", "pip", "install", "--quiet", "--offline", "--python", "/usr/bin/python3", "--target", "/opt/app", "--no-deps", "--no-index", "-r", "/in/wheels/requirements.txt"]
RUN --mount=type=bind,source=finish.py,target=/in/finish.py \
    ["python3", "/in/finish.py", "/opt/app", "/out"]

FROM base AS image
COPY --link --from=dependencies /out/opt/ /opt/
COPY --link --from=application /out/opt/ /opt/
COPY --link include/ /srv/
ENV PATH=/opt/venv/bin:/usr/bin:/bin PYTHONPATH=/opt/app \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv
USER 10001:10001
