"""The figures of a run of tasks, one file each."""
