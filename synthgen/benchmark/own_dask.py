"""A Dask cluster on this machine, for as long as standard input is open:

    python -m synthgen.benchmark.own_dask WORKERS GPUS_PER_WORKER

A process of its own, so that Dask starts its workers from here and not from the user's script,
which may have no ``__main__`` guard. Prints the scheduler's address.
"""

from __future__ import annotations

import os
import sys
import tempfile

import dask
from distributed import LocalCluster

from synthgen.benchmark.threads import ONE_THREAD

_BUSY = {"distributed.comm.timeouts.connect": "300s", "distributed.comm.timeouts.tcp": "300s"}
"""On a machine that is at its limit a worker takes more than Dask's half minute to start."""
_LEAN = {
    # Dask would look a hundred times a second at what a job is doing, for a dashboard there is not;
    "distributed.worker.profile.enabled": False,
    # and have freed memory given back at once (MALLOC_TRIM_THRESHOLD_), so that the next tensor
    # asks for it again: training took half as long again.
    "distributed.nanny.pre-spawn-environ": ONE_THREAD,
}
"""What a cluster of ours does without."""


def main() -> None:
    """Start it, and end it with standard input: the reader of the address has gone then."""
    workers, gpus = map(int, sys.argv[1:])
    dask.config.set(_BUSY | _LEAN)
    with tempfile.TemporaryDirectory(prefix="synthgen-") as folder:
        cluster = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            local_directory=folder,
            resources={"GPU": 1} if gpus else None,
        )
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
    # Not by closing it: that waits for what is running. Its processes end with this one.
    os._exit(0)


if __name__ == "__main__":
    main()
