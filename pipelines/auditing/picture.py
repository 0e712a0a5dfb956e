"""An audit as a picture: shares a bin of all sets beside each other, and each set's heat map."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from manifests.audit import Audit
from manifests.pose_counts import BINS, CELL_DEG, CELLS, SMALL_BINS

# Okabe and Ito's colours, which most colour-blind people tell apart.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
INK, PALE = "#222222", "#DDDDDD"
WIDTH, BAR_HEIGHT, MARGIN = 1200, 300, 70
MAP_CELL = 9  # px of a grid cell
TICKS_DEG = (-90, -60, -30, 0, 30, 60, 90)


def draw_audits(audits: Sequence[Audit], path: Path) -> None:
    """Write a PNG with a bar chart of all audits and a heat map of each that has pitches.

    Raises:
        OSError: it cannot be written.
    """
    maps = [(k, audit) for k, audit in enumerate(audits) if audit.counts.grid.any()]
    side = MAP_CELL * CELLS
    columns = max(1, (WIDTH - MARGIN) // (side + MARGIN))
    legend = MARGIN + 22 * len(audits)
    top = legend + BAR_HEIGHT + 60
    rows = -(-len(maps) // columns)
    sheet = Image.new("RGB", (WIDTH, top + rows * (side + 110) + 10), "white")
    draw = ImageDraw.Draw(sheet)
    _legend(draw, audits)
    _bars(draw, audits, legend)
    for place, (number, audit) in enumerate(maps):
        row, column = divmod(place, columns)
        left = MARGIN + column * (side + MARGIN)
        _heat_map(
            sheet, draw, audit, COLORS[number % len(COLORS)], (left, top + row * (side + 110))
        )
    sheet.save(path, format="PNG")


def heat_colors(grid: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 of counts (H, W) int64: white for none, then dark to bright by logarithm."""
    level = np.log1p(grid) / max(np.log1p(grid.max()), 1e-9)
    colors = cv2.applyColorMap((255 * level).astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1]
    return np.where(grid[..., None] > 0, colors, 255).astype(np.uint8)


def _legend(draw: ImageDraw.ImageDraw, audits: Sequence[Audit]) -> None:
    draw.text((MARGIN, 20), "share of images by |yaw|, degrees", INK, _font(20))
    for number, audit in enumerate(audits):
        y = 54 + 22 * number
        draw.rectangle((MARGIN, y + 3, MARGIN + 14, y + 17), COLORS[number % len(COLORS)])
        counts = audit.counts
        share = f"{100 * counts.large_share:.3f} %" if counts.total else "no"
        words = f"{_short(audit.name)}: {counts.total:,} poses, {share} large"
        if counts.total < audit.rows:
            words += f"; {audit.rows - counts.total:,} without a pose"
        draw.text((MARGIN + 22, y), words, INK, _font(15))


def _bars(draw: ImageDraw.ImageDraw, audits: Sequence[Audit], top: int) -> None:
    """One group of bars a bin, on an axis up to the largest share."""
    shares = [audit.counts.bins / max(audit.counts.total, 1) for audit in audits]
    highest = max(max(share.max() for share in shares), 1e-9)
    used = max(SMALL_BINS + 3, *(int(np.flatnonzero(s).max(initial=0)) + 1 for s in shares))
    bottom, group = top + BAR_HEIGHT, (WIDTH - 2 * MARGIN) / used
    width = 0.8 * group / len(audits)
    for k in range(used):
        left = MARGIN + k * group + 0.1 * group
        draw.text((left, bottom + 6), BINS[k], INK, _font(15))
        for number, share in enumerate(shares):
            x, height = left + number * width, share[k] / highest * (BAR_HEIGHT - 24)
            box = (x, bottom - height, x + width - 2, bottom)
            draw.rectangle(box, COLORS[number % len(COLORS)])
            if share[k] and width > 34:
                draw.text((x, bottom - height - 17), f"{100 * share[k]:.1f}", INK, _font(13))
    edge = MARGIN + SMALL_BINS * group
    draw.line((edge, top, edge, bottom), PALE, 2)
    draw.text((edge + 6, top), "large", INK, _font(15))
    draw.line((MARGIN, bottom, WIDTH - MARGIN, bottom), INK, 1)


def _heat_map(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    audit: Audit,
    color: str,
    corner: tuple[int, int],
) -> None:
    """Yaw from left to right, pitch > 0 (nose down) below, as the face would look in an image."""
    left, top = corner
    top += 30
    side = MAP_CELL * CELLS
    draw.rectangle((left, top - 24, left + 14, top - 10), color)
    title = f"{_short(audit.name, 34)} (most: {audit.counts.grid.max():,})"
    draw.text((left + 22, top - 27), title, INK, _font(15))
    tiles = np.kron(heat_colors(audit.counts.grid), np.ones((MAP_CELL, MAP_CELL, 1), np.uint8))
    sheet.paste(Image.fromarray(tiles), (left, top))
    draw.rectangle((left - 1, top - 1, left + side, top + side), outline=INK)
    for angle in TICKS_DEG:
        place = (angle / CELL_DEG + CELLS // 2 + 0.5) * MAP_CELL
        draw.text((left + place, top + side + 4), f"{angle}", INK, _font(13), anchor="ma")
        draw.text((left - 6, top + place), f"{angle}", INK, _font(13), anchor="rm")
    draw.text((left + side / 2, top + side + 22), "yaw °", INK, _font(14), anchor="ma")
    draw.text((left - 40, top - 14), "pitch °", INK, _font(14), anchor="mm")


def _short(name: str, length: int = 60) -> str:
    """A long path by its end, which tells more."""
    return name if len(name) <= length else f"…{name[1 - length :]}"


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
