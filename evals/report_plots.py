"""Small plots for the rows of a report's tables, as SVG that grows with its cell."""

from evals.statistics import Interval

_WIDE, _HIGH = 200.0, 20.0
_EDGE = 4.0
"""Room at both ends, so that the ends of a line are seen."""


def share_plot(share: float, interval: Interval, told: str) -> str:
    """Return a share as a bar, what is missing in the colour of failure, and its interval as a line."""
    low, middle, high = (_x(value) for value in (interval.low, share, interval.high))
    bars = (
        f"<rect x='{_EDGE:g}' y='3' width='{middle - _EDGE:.1f}' height='8' fill='var(--good)'/>"
        f"<rect x='{middle:.1f}' y='3' width='{_x(1) - middle:.1f}' height='8' fill='var(--bad)'/>"
    )
    return _svg(told, bars + _line(low, high, 16))


def change_plot(change: float, interval: Interval | None, reach: float, told: str, tone: str) -> str:
    """Return a change as a dot, its interval as a line, and where nothing changes as a fine line down.

    Args:
        change: What is drawn.
        interval: Its bounds, where there are any.
        reach: What both ends of the plot stand for.
        told: The plot in words.
        tone: Colour of the dot and the line.
    """
    ends = interval or (change, change)
    low, middle, high = (_x((value / reach + 1) / 2 if reach else 0.5) for value in (ends[0], change, ends[1]))
    zero = f"<path d='M{_x(0.5):g} 1V19' stroke='var(--dim)' stroke-dasharray='2 2'/>"
    dot = f"<circle cx='{middle:.1f}' cy='10' r='3.5' fill='var(--{tone})'/>"
    return _svg(told, zero + (_line(low, high, 10, tone) if interval else "") + dot)


def amount_plot(amount: float, most: float, told: str) -> str:
    """Return an amount as a bar beside the largest one."""
    wide = (_WIDE - 2 * _EDGE) * amount / most if most else 0.0
    return _svg(told, f"<rect x='{_EDGE:g}' y='5' width='{wide:.1f}' height='10' fill='var(--mark)'/>")


def _line(low: float, high: float, at: float, tone: str = "ink") -> str:
    ends = f"M{low:.1f} {at - 3:g}V{at + 3:g}M{high:.1f} {at - 3:g}V{at + 3:g}"
    return f"<path d='M{low:.1f} {at:g}H{high:.1f}{ends}' stroke='var(--{tone})' stroke-width='1.5' fill='none'/>"


def _x(share: float) -> float:
    return _EDGE + min(max(share, 0.0), 1.0) * (_WIDE - 2 * _EDGE)


def _svg(told: str, drawn: str) -> str:
    return f"<svg role='img' aria-label='{told}' viewBox='0 0 {_WIDE:g} {_HIGH:g}'>{drawn}</svg>"
