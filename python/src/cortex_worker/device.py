"""Errors after which a device answers nobody in this process any more.

A CUDA context that has seen an illegal access, a failed assertion or a hardware fault stays broken until its process
ends; every later call fails. Ordinary exceptions are never among these, and neither is a device without free memory,
which the next request may find again.
"""

from __future__ import annotations

# In lower case: words of the error's text, and what it must not say.
_FATAL = (
    "cuda error",
    "cudnn_status_execution_failed",
    "cudnn_status_internal_error",
    "cublas_status_execution_failed",
    "cublas_status_internal_error",
    "cublas_status_not_initialized",
    "device-side assert",
    "illegal memory access",
    "cuda_error_",
    "hip error",
    "nrt_exec",
    "nrt_uninitialized",
    "nerr_",
)
_PASSING = ("out of memory", "out_of_memory", "cuda error: invalid argument", "cuda error: invalid value")
# How many requests in a row must fail like this until the process is given up.
LIMIT = 3


def is_lost(error: BaseException) -> bool:
    """Whether `error` says that a device does not answer any more."""
    if not isinstance(error, Exception):
        return False
    try:
        text = str(error).lower()
    except Exception:
        return False
    return any(words in text for words in _FATAL) and not any(words in text for words in _PASSING)
