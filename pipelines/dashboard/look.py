"""Colours, style sheets and the frame of the page; light and dark."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours of the plots, which are drawn on a canvas that style sheets do not reach.

    Attributes:
        text, faint: of labels and of grid lines.
        lines: of the stages, told apart also by people who see few colours (Okabe and Ito).
        ramp: of the pose histogram, from few to many.
        variables: of the style sheets.
    """

    text: str
    faint: str
    lines: tuple[str, ...]
    ramp: tuple[str, ...]
    variables: str


LIGHT = Theme(
    "#4a5462",
    "#e3e7ec",
    ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b58900", "#56b4e9"),
    ("#e4eef7", "#bcd7ec", "#86b9df", "#4d96cb", "#2272b0", "#0d4f86", "#08306b"),
    "--page:#f4f6f8;--card:#fff;--edge:#e0e5ea;--text:#1d2530;--soft:#5a6675;--track:#e8ecf0;"
    "--good:#0b7a4b;--bad:#b3261e;--accent:#0072b2;--shadow:0 1px 2px rgba(20,30,45,.06)",
)
DARK = Theme(
    "#b4bfcc",
    "#2b343f",
    ("#56b4e9", "#e69f00", "#2cc295", "#e08fc0", "#f0e442", "#8ab4f8"),
    ("#2c4d6b", "#2b5f8c", "#2873ab", "#3a8bc4", "#6cb2e2", "#a9d5f3", "#e3f3fd"),
    "--page:#10151b;--card:#181f28;--edge:#28313c;--text:#e8edf2;--soft:#9daab8;--track:#28313c;"
    "--good:#3ecf8e;--bad:#ff8a80;--accent:#56b4e9;--shadow:none",
)
FONT = "Inter, 'Segoe UI', system-ui, -apple-system, 'DejaVu Sans', sans-serif"

# Of what stands inside Bokeh's elements, which the page's own style sheet does not reach.
INNER = """
:host { display: block; width: 100%; color: var(--text); font: 14px/1.45 var(--font) }
.bk-clearfix { display: block !important; width: 100% }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 14px }
.tile { background: var(--card); border: 1px solid var(--edge); border-radius: 10px;
  padding: 12px 16px; box-shadow: var(--shadow); min-width: 0 }
.tile b { display: block; font-size: 24px; font-weight: 600; line-height: 1.25;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
.tile span, .soft { color: var(--soft); font-size: 12.5px }
.bad { color: var(--bad) } .good { color: var(--good) }
.stage { display: grid; grid-template-columns: minmax(76px, 110px) 1fr 132px; gap: 4px 12px;
  align-items: center; padding: 5px 0 }
.name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.dot { display: inline-block; width: 9px; height: 9px; border-radius: 50%; margin-right: 8px }
.track { height: 8px; border-radius: 4px; background: var(--track); overflow: hidden }
.track i { display: block; height: 100%; border-radius: 4px }
.figures { font-variant-numeric: tabular-nums; text-align: right; white-space: nowrap }
.reason { padding: 7px 0; border-top: 1px solid var(--edge) }
.reason:first-child { border-top: 0; padding-top: 0 }
.reason p { margin: 0 0 5px; display: flex; gap: 10px; overflow-wrap: anywhere }
.reason p b { flex: none; min-width: 2.5ch; font-variant-numeric: tabular-nums }
.reason .track { height: 5px } .reason .track i { background: var(--bad) }
.sheet { display: grid; grid-template-columns: repeat(6, 1fr); gap: 6px }
@media (max-width: 900px) { .sheet { grid-template-columns: repeat(8, 1fr) } }
.sheet img { width: 100%; aspect-ratio: 1; display: block; border-radius: 6px }
.sheet + p { margin: 10px 0 0 }
.empty { color: var(--soft); padding: 10px 0; text-align: center }
@media (max-width: 520px) {
  .sheet { grid-template-columns: repeat(4, 1fr) }
  .tiles { grid-template-columns: 1fr 1fr }
  .tile:last-child:nth-child(odd) { grid-column: 1 / -1 }
  .stage { grid-template-columns: 1fr auto }
  .stage .track { grid-column: 1 / -1; order: 3 }
}
"""

OUTER = """
* { box-sizing: border-box }
html { background: var(--page) }
body { margin: 0 auto; max-width: 1320px; padding: 20px 22px 40px; color: var(--text);
  background: var(--page); font: 14px/1.45 var(--font) }
header { margin-bottom: 14px }
main { display: flex; flex-wrap: wrap; gap: 14px; margin-top: 14px }
.column { display: flex; flex-direction: column; gap: 14px; min-width: 0 }
.wide { flex: 7 1 0 } .slim { flex: 5 1 0 }
.column .card:last-child { flex-grow: 1 }
.card { background: var(--card); border: 1px solid var(--edge); border-radius: 10px;
  padding: 14px 18px 16px; box-shadow: var(--shadow); min-width: 0 }
.card h2 { font-size: 14px; font-weight: 600; margin: 0 0 10px }
.card h2 small { color: var(--soft); font-weight: 400; margin-left: 6px }
@media (max-width: 900px) { .wide, .slim { flex: 1 1 100% } body { padding: 14px } }
"""

TEMPLATE = """
{% extends base %}
{% from macros import embed %}
{% block inner_head %}
{{ super() }}
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root { {{ variables }}; --font: {{ font }}; color-scheme: {{ theme }} }
{{ outer }}</style>
<script>
if (!/[?&]theme=/.test(location.search) && matchMedia("(prefers-color-scheme: dark)").matches)
  location.replace(location.pathname + "?theme=dark")
</script>
{% endblock %}
{% block contents %}
<header>{{ embed(roots.head) }}</header>
{{ embed(roots.tiles) }}
<main>
<div class="column wide">
<section class="card"><h2>Samples a second<small>by stage</small></h2>
{{ embed(roots.rate) }}</section>
<section class="card"><h2>Head poses so far<small>samples a {{ bin_deg }}° cell; down the side
pitch, °, nose down below</small></h2>
{{ embed(roots.poses) }}</section>
</div>
<div class="column slim">
<section class="card"><h2>Stages<small>shards done</small></h2>{{ embed(roots.stages) }}
</section>
<section class="card"><h2>Failed inputs<small>by reason</small></h2>{{ embed(roots.reasons) }}
</section>
<section class="card"><h2>Last contact sheet</h2>{{ embed(roots.sheet) }}</section>
</div>
</main>
{% endblock %}
"""

HEAD = """
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 14px }
.head h1 { font-size: 20px; margin: 0; font-weight: 600; overflow-wrap: anywhere }
.chip { border-radius: 999px; padding: 2px 11px; font-size: 12.5px; font-weight: 600;
  border: 1px solid currentColor }
.head nav { margin-left: auto; display: flex; gap: 16px }
.head a { color: var(--accent); text-decoration: none } .head a:hover { text-decoration: underline }
"""
