# The image of workers and of the jobs that they start: docker build --tag synthgen .
FROM python:3.12-slim

# The CUDA build of torch brings CUDA's libraries; a GPU needs only the host's driver.
RUN useradd --create-home --uid 1000 synthgen \
    && mkdir /runs \
    && chown synthgen /runs

WORKDIR /opt/synthgen
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY synthgen synthgen
COPY flows flows
RUN pip install --no-cache-dir --constraint constraints.txt '.[prefect,kubernetes,boosters]'
COPY prefect.yaml prefect.toml ./
COPY configs configs
COPY deploy deploy

USER 1000
ENV SYNTHGEN_RUNS=/runs \
    SYNTHGEN_DEVICES=/runs/.devices
VOLUME /runs
CMD ["synthgen", "--help"]
