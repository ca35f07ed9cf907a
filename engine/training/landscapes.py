"""Grounds with colours of their own, painted from noise: pictures (n, 3, s, s) in 0..1."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.training.patterns import Chance, draw_pattern, places, soft

Painter = Callable[[int, int, Chance], Tensor]


def ramp(value: Tensor, *colours: str) -> Tensor:
    """Colours (n, 3, s, s) along evenly spaced hex stops, for values (n, s, s) in 0..1."""
    stops = torch.tensor([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in colours], device=value.device)
    place = value.clamp(0, 1) * (len(colours) - 1)
    lower = place.floor().clamp(max=len(colours) - 2).long()
    part = (place - lower)[..., None]
    return (stops[lower] * (1 - part) + stops[lower + 1] * part).permute(0, 3, 1, 2)


def over(ground: Tensor, colour: Sequence[float], amount: Tensor) -> Tensor:
    """The ground with a colour laid over it, amount (n, s, s) in 0..1."""
    layer = torch.tensor(colour, device=ground.device).view(1, 3, 1, 1)
    return ground + (layer - ground) * amount.clamp(0, 1)[:, None]


def specks(n: int, size: int, chance: Chance, density: float) -> Tensor:
    """Bright points (n, s, s) in 0..1, as high as wide in the wide picture."""
    points = (chance.between(0, 1, n, 1, size, size) < density) * chance.between(0.4, 1, n, 1, size, size)
    return torch.nn.functional.max_pool2d(points, (4, 2), 1, (2, 1))[:, 0, :size, :size]


def sky(n: int, size: int, chance: Chance) -> Tensor:
    """White clouds on blue."""
    _, y = places(n, size, chance.device)
    clouds = soft(chance.fractal(n, size) - chance.between(0.42, 0.62, n, 1, 1), 14)
    return over(ramp(y * 0.5 + 0.5, "1d6fd8", "5fb2f2", "b5defa"), (0.97, 0.98, 1.0), clouds)


def night(n: int, size: int, chance: Chance) -> Tensor:
    """Stars on deep blue."""
    glow = ramp(chance.fractal(n, size, 2, 3) * 0.8, "02030f", "070c2c", "1a1f5a")
    return over(glow, (1.0, 0.98, 0.88), specks(n, size, chance, 0.005))


def ocean(n: int, size: int, chance: Chance) -> Tensor:
    """Waves in rows, crests white."""
    x, y = places(n, size, chance.device)
    bend = chance.fractal(n, size, 3, 3)
    rows = (y * 16 + (x * 4 + chance.between(0, 6, n, 1, 1)).sin() * 0.9 + bend * 4).sin() * 0.5 + 0.5
    return over(ramp(rows * 0.8, "04254f", "0b5a9c", "2aa3cf"), (0.92, 0.98, 1.0), soft(rows - 0.9, 25))


def underwater(n: int, size: int, chance: Chance) -> Tensor:
    """Blue green depth with shafts of light from above."""
    x, y = places(n, size, chance.device)
    shafts = ((x + y * 0.25) * 7 + chance.fractal(n, size, 2, 2) * 6).sin().clamp(0) * (0.6 - y * 0.6).clamp(0)
    return over(ramp(y * 0.5 + 0.5, "1fb5c9", "0a6d9e", "04244d"), (0.7, 1.0, 0.95), shafts * 0.4)


def forest(n: int, size: int, chance: Chance) -> Tensor:
    """Dark trunks before green leaves."""
    x, y = places(n, size, chance.device)
    leaves = ramp(chance.fractal(n, size, 6, 4, 0.7), "0a2410", "1c5a1e", "5a9c34")
    trunks = soft((x * 8 + chance.between(0, 6, n, 1, 1) + chance.fractal(n, size, 2, 2) * 3).sin() - 0.75, 14)
    return over(leaves, (0.13, 0.08, 0.05), trunks * soft(y + 0.5, 5))


def grass(n: int, size: int, chance: Chance) -> Tensor:
    """Green blades."""
    x, y = places(n, size, chance.device)
    blades = ((x * 30 + chance.fractal(n, size, 4, 3) * 9).sin() * 0.5 + 0.5) * 0.6 + y * 0.2 + 0.2
    return ramp(blades, "14480f", "2f8f1f", "8fd045")


def sunset(n: int, size: int, chance: Chance) -> Tensor:
    """Bands from purple to yellow with a low sun."""
    x, y = places(n, size, chance.device)
    low = chance.between(0.1, 0.5, n, 1, 1)
    picture = ramp(
        (y + 1) / (low + 1) * 0.95 + chance.fractal(n, size) * 0.1 - 0.05, "2a1552", "a3316f", "f2693a", "ffc94a"
    )
    sun = soft(0.28 - ((x - chance.between(-0.3, 0.3, n, 1, 1)) ** 2 + (y - low) ** 2).sqrt(), 25)
    picture = over(picture, (1.0, 0.95, 0.65), sun)
    return over(picture, (0.12, 0.05, 0.16), soft(y - low - 0.06, 30) * 0.9)


def mountains(n: int, size: int, chance: Chance) -> Tensor:
    """Ranges, the nearer the darker, snow on the far one."""
    x, y = places(n, size, chance.device)
    picture = ramp(y * 0.5 + 0.6, "6fa8dc", "cfe3f2")
    for height, colour in ((-0.45, (0.52, 0.6, 0.72)), (0.0, (0.3, 0.4, 0.5)), (0.45, (0.12, 0.2, 0.2))):
        phase = chance.between(0, 6, n, 1, 1)
        edge = height + 0.32 * (x * 4 + phase).sin().asin() * 0.7 + 0.1 * chance.fractal(n, size, 6, 3)[:, :1]
        picture = over(picture, colour, soft(y - edge, 40))
        if height < -0.2:
            picture = over(picture, (1, 1, 1), soft(y - edge, 40) * soft(edge + 0.3 - y, 25))
    return picture


def snow(n: int, size: int, chance: Chance) -> Tensor:
    """Flakes falling over a pale white ground."""
    _, y = places(n, size, chance.device)
    picture = ramp(y * 0.5 + 0.5 + chance.fractal(n, size) * 0.2, "7d93b0", "c3d0df", "f5f8fb")
    return over(picture, (1, 1, 1), specks(n, size, chance, 0.012))


def rain(n: int, size: int, chance: Chance) -> Tensor:
    """Slanted streaks on grey blue."""
    drops = (chance.between(0, 1, n, 1, size + 24, size + 12) < 0.012).float()
    streak = sum(drops[:, :, i * 2 : i * 2 + size, 6 - i // 3 : 6 - i // 3 + size] for i in range(12))
    picture = ramp(chance.fractal(n, size, 2, 3), "1c2733", "3a4a5a", "5b6b7b")
    return over(picture, (0.75, 0.84, 0.93), torch.as_tensor(streak)[:, 0].clamp(0, 1) * 0.7)


def city(n: int, size: int, chance: Chance) -> Tensor:
    """Dark towers with lit windows at night."""
    _, y = places(n, size, chance.device)
    towers = chance.below(8, n, 1, 18).float().repeat_interleave(-(-size // 18), 2)[:, :, :size] / 10 - 0.6
    picture = over(ramp(y * 0.5 + 0.5, "0a0a24", "2a1c4a", "5a2f5a"), (0.03, 0.03, 0.07), soft(y - towers, 60))
    rows, columns = -(-size // 8), -(-size // 4)
    lit = (chance.between(0, 1, n, rows, columns) < 0.35).float().repeat_interleave(8, 1).repeat_interleave(4, 2)
    place = torch.arange(size, device=chance.device)
    panes = lit[:, :size, :size] * (place % 8 < 4).float()[:, None] * (place % 4 < 2).float()[None, :]
    return over(picture, (1.0, 0.82, 0.4), panes * soft(y - towers - 0.06, 60))


def fire(n: int, size: int, chance: Chance) -> Tensor:
    """Flames rising from below."""
    x, y = places(n, size, chance.device)
    tongues = ((x * 5 + chance.fractal(n, size, 3, 3) * 5).sin() * 0.3 + chance.fractal(n, size, 4, 4)) * 0.7
    return ramp(y * 0.45 + tongues + 0.2, "0a0000", "6b0f00", "e04b05", "ffa81a", "ffec8a")


def storm(n: int, size: int, chance: Chance) -> Tensor:
    """Dark clouds and a jagged bolt."""
    x, _y = places(n, size, chance.device)
    picture = ramp(chance.fractal(n, size), "080a14", "252c40", "566079")
    way = chance.between(-0.6, 0.6, n, 1, 1) + (chance.fractal(n, size, 6, 3, 0.8)[:, :, :1] - 0.5) * 0.8
    bolt = torch.exp(-(((x - way) / 0.05) ** 2)) + 0.3 * torch.exp(-(((x - way) / 0.25) ** 2))
    return over(picture, (0.85, 0.88, 1.0), bolt)


def desert(n: int, size: int, chance: Chance) -> Tensor:
    """Dunes under a pale sky."""
    x, y = places(n, size, chance.device)
    picture = ramp(y * 0.5 + 0.5, "6fb4e0", "e8dcc0")
    for height, light in ((-0.15, 1.0), (0.25, 0.86), (0.6, 0.72)):
        edge = height + 0.16 * (x * 2.4 + chance.between(0, 6, n, 1, 1)).sin()
        picture = over(picture, (0.93 * light, 0.72 * light, 0.4 * light), soft(y - edge, 30))
    return picture


def aurora(n: int, size: int, chance: Chance) -> Tensor:
    """Green and purple curtains at night."""
    x, y = places(n, size, chance.device)
    curtain = (x * 4 + chance.fractal(n, size, 2, 3) * 9 + y).sin().clamp(0) ** 2
    picture = over(ramp(y * 0.5 + 0.5, "040818", "081830"), (0.15, 0.95, 0.5), curtain * (0.75 - y.abs() * 0.6))
    return over(picture, (0.65, 0.2, 0.85), (curtain.roll(4, 2) * (-y).clamp(0)) * 0.8)


def galaxy(n: int, size: int, chance: Chance) -> Tensor:
    """Violet and pink gas with stars."""
    gas = ramp(chance.fractal(n, size) * 1.2 - 0.15, "04020f", "2a1060", "8a2fa0", "f07fc0")
    return over(gas, (1, 1, 1), specks(n, size, chance, 0.005))


def tunnel(n: int, size: int, chance: Chance) -> Tensor:
    """Rings that shrink toward a dark centre."""
    x, y = places(n, size, chance.device)
    radius = ((x - chance.between(-0.2, 0.2, n, 1, 1)) ** 2 + y**2 + 1e-4).sqrt()
    rings = ((radius.log() * 7 + chance.between(0, 6, n, 1, 1)).sin() * 0.5 + 0.5) * radius.clamp(0, 1)
    return ramp(rings, "020208", "1a2a7a", "30b8e8")


def smoke(n: int, size: int, chance: Chance) -> Tensor:
    """Grey drifting veils."""
    return ramp(chance.fractal(n, size, 2, 4) * 1.1 - 0.05, "1b1c1f", "5d6064", "b9bdc1")


def bokeh(n: int, size: int, chance: Chance) -> Tensor:
    """Big soft lights on dark."""
    x, y = places(n, size, chance.device)
    picture = ramp(chance.fractal(n, size, 2, 2) * 0.5, "07050d", "2a1a20")
    for colour in ((1.0, 0.75, 0.3), (1.0, 0.4, 0.5), (0.5, 0.6, 1.0), (1.0, 0.85, 0.6)) * 4:
        far = ((x - chance.between(-1.7, 1.7, n, 1, 1)) ** 2 + (y - chance.between(-1, 1, n, 1, 1)) ** 2).sqrt()
        picture = over(picture, colour, soft(chance.between(0.1, 0.25, n, 1, 1) - far, 40) * 0.6)
    return picture


def confetti(n: int, size: int, chance: Chance) -> Tensor:
    """Small bright pieces of every colour on dark."""
    picture = torch.full((n, 3, size, size), 0.06, device=chance.device)
    for colour in ((0.95, 0.2, 0.25), (1, 0.8, 0.1), (0.2, 0.75, 0.3), (0.2, 0.5, 1), (0.95, 0.4, 0.8)):
        piece = torch.nn.functional.max_pool2d(
            (chance.between(0, 1, n, 1, size, size) < 0.003).float(), (5, 3), 1, (2, 1)
        )
        picture = over(picture, colour, piece[:, 0])
    return picture


def lasers(n: int, size: int, chance: Chance) -> Tensor:
    """Beams of light crossing in the dark."""
    x, y = places(n, size, chance.device)
    picture = ramp(chance.fractal(n, size, 2, 3) * 0.5, "030308", "1a1030")
    for colour in ((0.1, 1.0, 0.4), (1.0, 0.1, 0.6), (0.2, 0.6, 1.0)) * 2:
        turn = chance.between(-1.2, 1.2, n, 1, 1)
        gap = (x - chance.between(-0.8, 0.8, n, 1, 1)) * turn.cos() + (y + 1.1) * turn.sin()
        picture = over(picture, colour, torch.exp(-((gap / 0.06) ** 2)) * 0.9)
    return picture


def lava(n: int, size: int, chance: Chance) -> Tensor:
    """Glowing cracks in black rock."""
    cracks = 1 - (chance.fractal(n, size, 3, 4) - 0.5).abs() * 9
    return ramp(cracks, "0c0706", "3a0a04", "e83a05", "ffd24a")


def rainbowground(n: int, size: int, chance: Chance) -> Tensor:
    """All hues side by side."""
    mask = draw_pattern("gradient", n, size, chance) + chance.fractal(n, size, 2, 2) * 0.4 - 0.2
    return ramp(mask, "e8262d", "ff8a1a", "ffe12f", "2fb84a", "2a6fe8", "8a2fd0")


def fractal(n: int, size: int, chance: Chance) -> Tensor:
    """Folded liquid bands of two hues."""
    fold = (chance.fractal(n, size, 2, 3) * 18 + chance.fractal(n, size, 3, 3) * 6).sin() * 0.5 + 0.5
    return ramp(fold, "0d0a3a", "c02a8a", "f7a13a", "f7f0c0")


def static(n: int, size: int, chance: Chance) -> Tensor:
    """Grey noise."""
    grain = chance.between(0, 1, n, 1, size // 4, size // 2)
    return torch.nn.functional.interpolate(grain, (size, size)).expand(-1, 3, -1, -1)


_LIGHT = (sky, ocean, underwater, forest, grass, sunset, mountains, snow, desert, rainbowground, fractal)
_DARK = (night, rain, city, fire, storm, aurora, galaxy, tunnel, smoke, bokeh, confetti, lasers, lava, static)
PAINTERS: dict[str, Painter] = {painter.__name__: painter for painter in _LIGHT + _DARK}
"""Grounds by their names in concepts.toml."""
