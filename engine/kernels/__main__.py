"""`python -m engine.kernels`: have every pass compiled and kept, out of everybody's way."""

from contextlib import suppress

import psutil

from engine.kernels.loading import load

with suppress(psutil.Error, OSError):
    psutil.Process().nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", 15))  # the name is Windows'
load()
