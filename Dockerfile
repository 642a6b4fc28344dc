# syntax=docker/dockerfile:1
# Vestnik in a container: no root, no compiler, nothing written outside /srv/vestnik/var and /tmp.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/vestnik
WORKDIR /src
# Dependencies change rarely: their layer comes first, every file checked against its hash.
# feedgen alone is published as source; it is pure Python, so no compiler is needed.
COPY requirements/run.lock requirements/run.lock
RUN /opt/vestnik/bin/pip install --require-hashes --only-binary=:all: --no-binary=feedgen -r requirements/run.lock
COPY pyproject.toml README.md LICENSE config.yaml ./
COPY feeds feeds
COPY storage storage
COPY bot bot
COPY vestnik vestnik
RUN /opt/vestnik/bin/pip install --no-deps .

FROM python:${PYTHON}
RUN groupadd --system --gid 10001 vestnik \
 && useradd --system --uid 10001 --gid vestnik --home-dir /srv/vestnik --create-home vestnik \
 && install -d -o vestnik -g vestnik -m 0750 /srv/vestnik/var
COPY --from=build /opt/vestnik /opt/vestnik
COPY config.yaml /etc/vestnik/config.yaml
ENV PATH=/opt/vestnik/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VESTNIK_CONFIG=/etc/vestnik/config.yaml \
    VESTNIK_LOGGING__FORMAT=json \
    VESTNIK_WEB__HOST=0.0.0.0
USER vestnik
# config.yaml's sqlite:///var/vestnik.db is meant from here.
WORKDIR /srv/vestnik
VOLUME /srv/vestnik/var
EXPOSE 8080
# /healthz answers while the process works; a port other than 8080 is read from the settings' variable.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('VESTNIK_WEB__PORT', '8080') + '/healthz', timeout=4)"]
# SIGTERM stops cleanly in under 10 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["vestnik"]
CMD ["run"]
