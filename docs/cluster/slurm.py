"""A study on Slurm: Dask workers in one job per node, started by dask-jobqueue.

    pip install "actlab[study,dask]" dask-jobqueue
    python slurm.py                     # prints the job script, starts the scheduler and the jobs
    actlab study run balanced --workers 256 --executor dask://LOGIN_NODE:8786    # in another shell

The folder of the virtual environment, of the user's own files and of downloaded data must be one
that the nodes share. `--workers` says how many trainings to have under way, whatever Slurm gave.
"""

import time

from dask_jobqueue import SLURMCluster

CORES_PER_NODE = 64
NODES = 4

if __name__ == "__main__":
    cluster = SLURMCluster(
        queue="normal",
        cores=CORES_PER_NODE,
        processes=CORES_PER_NODE,  # one training per core
        memory=f"{2 * CORES_PER_NODE}GB",
        walltime="08:00:00",
        job_script_prologue=["source ~/actlab/.venv/bin/activate"],
        scheduler_options={"port": 8786, "dashboard": False},
    )
    # For nodes with GPUs: processes = GPUs of a node, one CUDA_VISIBLE_DEVICES each, and
    # worker_extra_args=["--resources", "GPU=1"].
    print(cluster.job_script())
    cluster.adapt(minimum_jobs=1, maximum_jobs=NODES)
    print(f"actlab study run ... --executor dask://{cluster.scheduler_address.split('://')[1]}")
    while True:
        time.sleep(3600)
