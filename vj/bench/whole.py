"""The bench's parts that need a whole show, one show for all of them."""

from typing import Any

from vj.bench import cadence, eye, latency, memory
from vj.bench.asked import Asked
from vj.bench.encode import encoded_beside
from vj.bench.show import BenchShow, watched
from vj.errors import VjError
from vj.pulse import read_pulse


def measure_show(asked: Asked, guide: str) -> dict[str, Any]:
    """Figures of a show led by the guide, under the name it is loaded by.

    Raises VjError when the show does not start, or another guide paints.
    """
    figures: dict[str, Any] = {"size": asked.program_size, "is_watched": asked.is_watched}
    with BenchShow(asked.play_options(guide), asked.is_watched) as show:
        figures |= cadence.first_frames(show)
        _check_guide(show, guide)
        for _ in watched(show.program, cadence.WARM_UP_S):
            pass
        if "cadence" in asked.parts:
            figures |= cadence.steady(show)
            figures |= encoded_beside(show) if asked.encode else {}
        if "latency" in asked.parts:
            figures |= latency.osc_to_frame(show)
            figures |= eye.hand_to_eye(show)
            figures |= {} if asked.is_random else eye.prompt_to_judge(show)
        if "memory" in asked.parts:
            figures |= memory.memory(show, asked.minutes)
        if "cadence" in asked.parts:
            figures |= cadence.engine_killed(show)
    return figures


def _check_guide(show: BenchShow, guide: str) -> None:
    """Raise VjError where the show went on without what was asked for: its figures would be another's."""
    engine = read_pulse(show.folder.pulse("engine"))
    if engine.get("guide") != " + ".join(guide.split("+")):
        raise VjError(f"the show paints with {engine.get('guide') or 'no guide'}: {'; '.join(engine.get('notes', []))}")
