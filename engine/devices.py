"""Where the picture is computed: CPU, CUDA or Apple MPS."""

import shutil
import subprocess

import psutil
import torch

from engine.errors import EngineError

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(asked: str = "auto") -> tuple[torch.device, str]:
    """The device and a note for the screen: "" unless something else than asked for had to be taken.

    Raises EngineError for a name that is none of auto, cpu, cuda (or cuda:N) and mps.
    """
    kind = asked.partition(":")[0]
    if kind not in DEVICES:
        raise EngineError(f"no device called {asked!r}; known are {', '.join(DEVICES)}")
    if asked == "auto":
        asked = next((name for name in ("cuda", "mps") if _answers(name)), "cpu")
    if asked == "cpu" or _answers(asked):
        return torch.device(asked), ""
    return torch.device("cpu"), f"{asked} does not answer here; painting on the CPU"


def gpu_unused() -> str:
    """What to do about an NVIDIA GPU that torch cannot use; "" where there is none, or torch can use it."""
    if torch.version.hip is not None or _answers("cuda"):
        return ""
    seen = _nvidia_gpu()
    if not seen:
        return ""
    mend = "uv pip install --reinstall --torch-backend=auto torch torchvision"
    if torch.version.cuda is None:
        return f"{seen} is not used: this torch ({torch.__version__}) knows the CPU only; mend it with: {mend}"
    why = f"it does not answer to CUDA {torch.version.cuda}"
    return f"{seen} is not used: {why}; update its driver, or mend it with: {mend}"


def use_cores(count: int) -> None:
    """Let this process compute on so many processor cores, the last ones; 0 means all but one, and four at most.

    With a thread on every core, each step waits for whichever was interrupted by another part of the show: two cores
    beside 0.7 core of other work gave 16 frames/s with two threads and 24 with one. A count that is asked for is kept
    to by every thread of the process, where the system can hold it to its cores.
    """
    torch.set_num_threads(count if count > 0 else min(4, max(1, torch.get_num_threads() - 1)))
    # What an optimiser remembers fades into numbers so small that a processor takes many times as long for each.
    torch.set_flush_denormal(True)
    there = _cores()
    if 0 < count < len(there):
        psutil.Process().cpu_affinity(there[-count:])


def _cores() -> list[int]:
    """The numbers of the cores this process may use; none where the system (macOS) has no such choice."""
    process = psutil.Process()
    return list(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else []


def wait_for(device: torch.device) -> None:
    """Return once the device has done everything asked of it, so that a clock read next tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _answers(name: str) -> bool:
    """Whether a tensor can be made there; a driver too old or too new shows itself only then."""
    device = torch.device(name)
    is_built = torch.cuda.is_available() if device.type == "cuda" else torch.backends.mps.is_available()
    if not is_built:
        return False
    try:
        torch.ones(1, device=device).add_(1.0).item()
    except RuntimeError:
        return False
    return True


def _nvidia_gpu() -> str:
    """The name of the first NVIDIA GPU, "" without one."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ""
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5.0)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    names = answer.stdout.strip().splitlines()
    return names[0].strip() if answer.returncode == 0 and names else ""
