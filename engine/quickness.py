"""What a processor's frames are computed with: the quick ways, or torch's where they cannot be had."""

from engine.kernels import loading


def quickness() -> dict[str, str]:
    """Of passes over pictures and of networks: `numba` and `openvino`, or `torch` and why. Loads what it tells of."""
    loading.load()
    return {"passes": f"torch ({loading.fault()})" if loading.fault() else "numba", "networks": _networks()}


def _networks() -> str:
    try:
        from engine.graphs.drawing import compiled, doubling

        compiled(doubling()).infer()
    except (ImportError, OSError, RuntimeError) as err:
        return f"torch ({(str(err).strip().splitlines() or [type(err).__name__])[0]})"
    return "openvino"
