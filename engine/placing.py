"""Where views lie from the point of view of each prompt, for guides that want to be told."""

import torch
from torch import Tensor

from engine.kept import kept
from engine.regions import FRAMES


def places(boxes: Tensor, regions: tuple[str, ...], height: int, width: int, is_turned: bool = False) -> Tensor:
    """Boxes (n, k, 4) of n views around the middle of what each of k prompts owns, in halves of its shorter side.

    `boxes` are (left, top, right, bottom), (n, 4), where a picture of height by width pixels spans -1..1 both ways;
    `regions` names the part each prompt owns. The middle square of a prompt's part is (-1, -1, 1, 1). With `is_turned`
    a view lies where it would in a mirror.
    """
    middle, unit = _middles(regions, height, width, boxes.device)
    found = (boxes[:, None] - middle) * unit
    if not is_turned:
        return found
    left, top, right, bottom = found.unbind(dim=2)
    return torch.stack([-right, top, -left, bottom], dim=2)


@kept
def _middles(regions: tuple[str, ...], height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The middle of each prompt's part twice over, (k, 4), and what brings lengths into its unit, (k, 4)."""
    middles, units = [], []
    for left, top, right, bottom in (FRAMES[region] for region in regions):
        middles.append([(left + right) / 2, (top + bottom) / 2] * 2)
        shorter = min((right - left) / 2 * width, (bottom - top) / 2 * height)
        units.append([width / shorter, height / shorter] * 2)
    return torch.tensor(middles, device=device), torch.tensor(units, device=device)
