"""The page itself: a Bokeh document that shows the newest snapshot every second."""

from collections.abc import Callable, Mapping
from typing import Any

from bokeh.core.templates import get_env
from bokeh.document import Document
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    DatetimeTicker,
    DatetimeTickFormatter,
    Div,
    FixedTicker,
    HoverTool,
    InlineStyleSheet,
    LogColorMapper,
    NumeralTickFormatter,
    Range1d,
    SingleIntervalTicker,
)
from bokeh.plotting import figure

from pipelines.dashboard import panels
from pipelines.dashboard.look import DARK, FONT, HEAD, INNER, LIGHT, OUTER, TEMPLATE, Theme
from pipelines.dashboard.pulse import BIN_DEG

ROUTE = "/facesynth"
_EVERY_MS = 1000
_YAW_DEG, _PITCH_DEG = 90, 45  # shown at least

Read = Callable[[], tuple[dict[str, Any] | None, dict[str, Any] | None]]


def build(document: Document, read: Read, dask_page: str = "") -> None:
    """Fill a Bokeh document.

    Args:
        read: the newest (Pulse.snapshot, sheet.make_sheet); None for what is not there yet.
        dask_page: address of Dask's own dashboard, where there is one.
    """
    page = _Page(_wanted_theme(document), read, dask_page)
    for root in page.roots:
        document.add_root(root)
    document.title = "facesynth"
    document.template = get_env().from_string(TEMPLATE)
    document.template_variables.update(
        variables=page.theme.variables, theme=page.mode, font=FONT, outer=OUTER, bin_deg=BIN_DEG
    )
    page.update()
    document.add_periodic_callback(page.update, _EVERY_MS)


def _wanted_theme(document: Document) -> str:
    context = document.session_context
    words = context.request.arguments.get("theme", [b""]) if context else [b""]
    return "dark" if words[0] == b"dark" else "light"


class _Page:
    def __init__(self, mode: str, read: Read, dask_page: str):
        self.mode, self.theme = mode, DARK if mode == "dark" else LIGHT
        self._read, self._dask_page = read, dask_page
        self._sheet_name: Any = ()
        self._texts = {
            name: _text(name) for name in ("head", "tiles", "stages", "reasons", "sheet")
        }
        self._lines = ColumnDataSource({"x": [], "y": [], "stage": [], "color": []})
        self._cells = ColumnDataSource({"yaw": [], "pitch": [], "count": []})
        self._mapper = LogColorMapper(palette=self.theme.ramp, low=1, high=10)
        self._ticks = FixedTicker(ticks=[1, 10])
        self._rate = _rate_plot(self.theme, self._lines)
        self._poses = _pose_plot(self.theme, self._cells, self._mapper, self._ticks)
        self.roots = [*self._texts.values(), self._rate, self._poses]

    def update(self) -> None:
        """Show the newest figures."""
        snapshot, sheet = self._read()
        snapshot = snapshot or panels.nothing_yet()
        self._tell("head", panels.head(snapshot, self.mode, self._dask_page))
        self._tell("tiles", panels.tiles(snapshot))
        self._tell("stages", panels.stages(snapshot, self.theme))
        self._tell("reasons", panels.reasons(snapshot))
        name = (snapshot["title"], sheet and sheet["shard"])
        if name != self._sheet_name:
            self._tell("sheet", panels.sheet(sheet))
            self._sheet_name = name
        self._draw_rates(snapshot)
        self._draw_poses(snapshot["poses"])

    def _tell(self, name: str, text: str) -> None:
        if self._texts[name].text != text:  # what did not change is not sent
            self._texts[name].text = text

    def _draw_rates(self, snapshot: Mapping[str, Any]) -> None:
        series = {stage: points for stage, points in snapshot["series"].items() if points}
        order = list(snapshot["series"])
        colors = [self.theme.lines[order.index(stage) % len(self.theme.lines)] for stage in series]
        self._lines.data = {
            "x": [[1000 * at for at, _ in points] for points in series.values()],
            "y": [[rate for _, rate in points] for points in series.values()],
            "stage": list(series),
            "color": colors,
        }
        times = [at for points in series.values() for at, _ in points]
        if times:
            self._rate.x_range.update(
                start=1000 * min(times), end=1000 * max(max(times), min(times) + 20)
            )

    def _draw_poses(self, poses: list[list[int]]) -> None:
        columns = [list(column) for column in zip(*poses, strict=True)] or [[], [], []]
        if columns != [self._cells.data[name] for name in ("yaw", "pitch", "count")]:
            self._cells.data = dict(zip(("yaw", "pitch", "count"), columns, strict=True))
            most = max([2, *columns[2]])
            self._mapper.high, self._ticks.ticks = most, sorted({1, round(most**0.5), most})
            reach = max([_YAW_DEG, *map(abs, columns[0])]) + BIN_DEG
            self._poses.x_range.update(start=-reach, end=reach)
            reach = max([_PITCH_DEG, *map(abs, columns[1])]) + BIN_DEG
            self._poses.y_range.update(start=reach, end=-reach)


def _text(name: str) -> Div:
    return Div(
        name=name,
        text="",
        margin=0,
        sizing_mode="stretch_width",
        stylesheets=[InlineStyleSheet(css=INNER + HEAD)],
    )


def _rate_plot(theme: Theme, lines: ColumnDataSource) -> figure:
    plot = _plot("rate", theme, 250, x_axis_type="datetime", x_range=Range1d(0, 1), y_range=None)
    plot.y_range.start = 0
    drawn = plot.multi_line(
        "x",
        "y",
        source=lines,
        color="color",
        line_width=2.2,
        legend_field="stage",
        line_join="round",
    )
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=[("stage", "@stage")]))
    plot.xaxis.formatter = DatetimeTickFormatter(
        seconds="%H:%M:%S", minsec="%H:%M:%S", minutes="%H:%M", hourmin="%H:%M", hours="%H:%M",
        days="%d %b",
    )  # fmt: skip
    plot.yaxis.formatter = NumeralTickFormatter(format="0.[00]a")
    plot.xaxis.ticker = DatetimeTicker(desired_num_ticks=4)
    plot.xgrid.grid_line_color = None
    plot.legend[0].update(
        orientation="horizontal",
        background_fill_alpha=0,
        border_line_alpha=0,
        label_text_color=theme.text,
        label_text_font=FONT,
        label_text_font_size="12px",
        spacing=14,
        padding=0,
        margin=0,
    )
    plot.add_layout(plot.legend[0], "above")
    return plot


def _pose_plot(
    theme: Theme, cells: ColumnDataSource, mapper: LogColorMapper, ticks: FixedTicker
) -> figure:
    plot = _plot("poses", theme, 310, x_range=Range1d(-95, 95), y_range=Range1d(50, -50))
    drawn = plot.rect(
        "yaw",
        "pitch",
        BIN_DEG * 0.92,
        BIN_DEG * 0.92,
        source=cells,
        fill_color={"field": "count", "transform": mapper},
        line_color=None,
    )
    tips = [("yaw", "@yaw°"), ("pitch", "@pitch°"), ("samples", "@count{0,0}")]
    plot.add_tools(HoverTool(renderers=[drawn], tooltips=tips))
    plot.xaxis[0].update(axis_label="yaw, °  (nose to image right →)", ticker=_every(30))
    # Its label stands in the card's title: one drawn upright fell out of the canvas now and then.
    plot.yaxis[0].ticker = _every(15)
    bar = ColorBar(
        color_mapper=mapper,
        ticker=ticks,
        formatter=NumeralTickFormatter(format="0.[0]a"),
        width=9,
        padding=6,
        background_fill_alpha=0,
        major_label_text_color=theme.text,
        major_label_text_font=FONT,
        major_tick_line_color=None,
        bar_line_color=None,
    )
    plot.add_layout(bar, "right")
    return plot


def _every(interval: float) -> SingleIntervalTicker:
    return SingleIntervalTicker(interval=interval, num_minor_ticks=0)


def _plot(name: str, theme: Theme, height: int, **arguments: Any) -> figure:
    arguments = {k: v for k, v in arguments.items() if v is not None}
    plot = figure(
        name=name, height=height, sizing_mode="stretch_width", tools="", toolbar_location=None,
        background_fill_alpha=0, border_fill_alpha=0, outline_line_color=None, min_border=4,
        **arguments,
    )  # fmt: skip
    for axis in (plot.xaxis[0], plot.yaxis[0]):
        axis.update(
            axis_line_color=theme.faint,
            major_tick_line_color=None,
            minor_tick_line_color=None,
            major_label_text_color=theme.text,
            major_label_text_font=FONT,
            major_label_text_font_size="12px",
            axis_label_text_color=theme.text,
            axis_label_text_font=FONT,
            axis_label_text_font_size="12px",
            axis_label_text_font_style="normal",
        )
    plot.grid.grid_line_color = theme.faint
    return plot
