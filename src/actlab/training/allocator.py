"""Keeping freed memory in the process, so that a step does not fault its pages in again."""

import ctypes

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
"""Parameters of mallopt(3), from glibc's malloc.h."""

_LARGEST = 2**31 - 1
_LARGEST_MMAP_THRESHOLD = 2**30


def keep_pages() -> bool:
    """Tell the C library to return no memory to the system; return whether it understood.

    By default glibc maps each large block anew and unmaps it when it is freed, so every step pays
    for thousands of page faults. A C library without mallopt (musl, macOS) is left as it is.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    mallopt.argtypes = (ctypes.c_int, ctypes.c_int)
    mallopt.restype = ctypes.c_int
    return bool(
        mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD) and mallopt(_TRIM_THRESHOLD, _LARGEST)
    )
