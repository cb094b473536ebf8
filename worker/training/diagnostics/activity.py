"""Statistics of the elements and units of one layer, added up batch by batch on the device."""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from service.domain.activations.saturation import Saturation, Sides

ELEMENTS = {"cpu": 2**18, "cuda": 2**24}
"""Elements of a piece. A piece and its copies fit a CPU's cache; 2**24 is the most that float32 counts exactly."""


def by_unit(x: Tensor) -> Tensor:
    """Reshape (N, units, ...) to (elements of a unit, units).

    In memory channels come last already, so this copies nothing.
    """
    return x.movedim(1, -1).reshape(-1, x.shape[1]).contiguous()


class Moments:
    """The mean and standard deviation of a stream of pieces, in float64, by the update of Chan, Golub & LeVeque 1979.

    A mean of squares would lose digits, because it takes the difference of large numbers.
    """

    def __init__(self, device: torch.device) -> None:
        self.count = 0
        self.mean = torch.zeros((), dtype=torch.float64, device=device)
        self._squares = torch.zeros((), dtype=torch.float64, device=device)  # of the distances from the mean

    def add(self, piece: Tensor, spare: Tensor) -> None:
        """Add a piece. `spare` is a buffer of its shape; both are contiguous."""
        mean = piece.mean()
        centred = torch.sub(piece, mean, out=spare).view(-1)
        step, total = mean.double() - self.mean, self.count + piece.numel()
        self._squares += torch.dot(centred, centred) + step * step * (self.count * piece.numel() / total)
        self.mean += step * (piece.numel() / total)
        self.count = total

    @property
    def deviation(self) -> Tensor:
        """The standard deviation of the elements themselves, not an estimate for a larger population."""
        return (self._squares / max(self.count, 1)).sqrt()


class Peaks:
    """The highest value that entered each unit of one layer, whose activation has flattened as `flat` says."""

    def __init__(self, units: int, flat: Saturation, device: torch.device) -> None:
        self._flat_to = -math.inf if flat.left is None else flat.left
        self._peaks = torch.full((units,), -math.inf, device=device)

    def add(self, piece: Tensor) -> None:
        """Add a piece of shape (elements of a unit, units)."""
        self._peaks = torch.maximum(self._peaks, piece.amax(0))

    @property
    def dead(self) -> Tensor:
        """The units whose every input was below 0 and where f is flat, bool (units,), for units that can die."""
        return (self._peaks < 0) & (self._peaks <= self._flat_to)

    @property
    def inactive(self) -> Tensor:
        """The units that no input above 0 entered, bool (units,)."""
        return self._peaks <= 0


class Activity:
    """The statistics of one layer.

    `flat` says where its activation has flattened, and `sides` on which sides it can.
    """

    def __init__(self, units: int, sides: Sides, flat: Saturation, device: torch.device) -> None:
        self.units = units
        self.peaks = Peaks(units, flat, device)
        self._sides, self._flat = sides, flat
        self._rows = max(1, ELEMENTS[device.type] // units)
        self._zeros, self._saturated = (torch.zeros((), dtype=torch.float64, device=device) for _ in range(2))
        self._before, self._after = Moments(device), Moments(device)

    def add(self, before: Tensor, after: Tensor | None = None) -> None:
        """Add what entered the activation, float32 (N, units, ...), and what left it; None for a layer without one."""
        for piece in self._pieces(before):
            spare = torch.empty_like(piece)
            self._before.add(piece, spare)
            self.peaks.add(piece)
            if self._flat.left is not None:
                self._saturated += _count(torch.le, piece, self._flat.left, spare)
            if self._flat.right is not None:
                self._saturated += _count(torch.ge, piece, self._flat.right, spare)
        for piece in () if after is None else self._pieces(after):
            spare = torch.empty_like(piece)
            self._after.add(piece, spare)
            self._zeros += _count(torch.eq, piece, 0.0, spare)

    def _pieces(self, x: Tensor) -> Iterator[Tensor]:
        yield from torch.split(by_unit(x), self._rows)

    def figures(self) -> dict[str, float | None]:
        """Return the figures by measure; measures that are not defined are left out.

        All are NaN once something that entered was not finite.
        """
        mean = self._before.mean.item()
        figures: dict[str, float | None] = {"mean_before": mean, "sd_before": self._before.deviation.item()}
        if self._after.count:
            figures |= {"mean_after": self._after.mean.item(), "sd_after": self._after.deviation.item()}
            figures["zero_share"] = self._zeros.item() / self._after.count
        if self._sides.saturates:
            figures["saturated_share"] = self._saturated.item() / self._before.count
        if self._sides.dies:
            figures["dead_share"] = self.peaks.dead.double().mean().item()
        if self._sides.rests:
            figures["inactive_share"] = self.peaks.inactive.double().mean().item()
        return figures if math.isfinite(mean) else dict.fromkeys(figures, math.nan)


def _count(compare: Callable[..., Tensor], piece: Tensor, bound: float, spare: Tensor) -> Tensor:
    # The comparison is written into floats and summed: a boolean tensor and its count took 2.7 times as long.
    return compare(piece, bound, out=spare).sum()
