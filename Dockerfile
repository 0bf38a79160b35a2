# The one image of every Airflow service in docker-compose.yaml: the project and the locked packages it runs on.
FROM python:3.12-slim-bookworm

ENV PYTHONUNBUFFERED=1 AIRFLOW_HOME=/opt/airflow PATH=/opt/bulk-export/.venv/bin:$PATH
# As in Airflow's own image: a user of its own in group 0, so that a platform may put any user id in its place.
RUN useradd --uid 50000 --gid 0 --no-create-home --home-dir /opt/airflow airflow \
    && install -d -o airflow -g 0 -m 0775 /opt/airflow /opt/bulk-export /opt/definitions
WORKDIR /opt/bulk-export

# Packages first: they change less often than the project, and Docker keeps what has not changed.
COPY constraints-runtime.txt ./
RUN awk '/^uv==/ { uv = 1; print; next } uv && /^ / { print; next } { uv = 0 }' constraints-runtime.txt >/tmp/uv.txt \
    && python -m pip install --no-cache-dir --no-deps --require-hashes -r /tmp/uv.txt \
    && python -m venv --without-pip .venv \
    && uv pip install --no-cache --python .venv/bin/python --require-hashes --compile-bytecode -r constraints-runtime.txt
COPY . .
RUN uv pip install --no-cache --python .venv/bin/python --no-deps --no-build-isolation --compile-bytecode -e .

USER airflow
ENTRYPOINT []
CMD ["bulk-export", "--help"]
