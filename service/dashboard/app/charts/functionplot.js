/** f and f' over x: the article's figure of each function. */
import { html, useCallback, useMemo } from "../core/html.js";
import { plain } from "../text/format.js";
import { evenly, xAxis, yAxis } from "./axes.js";
import { LineChart } from "./lines.js";
import { useColours } from "./palette.js";
import { tip } from "./tip.js";

const EVEN = evenly(8);
const HIDDEN = { show: false };

/**
 * @param {{curve: {x: number[], y: (number|null)[], dy: (number|null)[]}, color: string, title: string,
 *   height?: number, small?: boolean}} props
 */
export function FunctionPlot({ curve, color, title, height = 320, small = false }) {
  const colours = useColours();
  const frame = useMemo(() => (small ? smallFrame(colours) : frameOf(colours)), [small, colours]);
  // prettier-ignore
  const lines = useMemo(() => [
    { x: curve.x, y: curve.dy, style: { color: colours.muted, width: 1.5, dash: [4, 3] } },
    { x: curve.x, y: curve.y, style: { color, width: 2.25 } },
  ], [curve, color, colours]);
  const tipAt = useCallback(
    (/** @type {number} */ place) => functionTip(place, curve, color, colours),
    [curve, color, colours],
  );
  return html`<${LineChart} lines=${lines} frame=${frame} tip=${small ? null : tipAt} height=${height}
    label=${`Graph of ${title} and, dashed, of its derivative`} />`;
}

/** @param {Colours} colours */
function frameOf(colours) {
  const grid = { stroke: colours.line, width: 1 };
  return {
    padding: [12, 12, 0, 0],
    scales: { x: { time: false, range: whole }, y: { range: EVEN.range } },
    axes: [
      xAxis(colours, undefined, { grid, size: 28 }),
      yAxis(colours, EVEN.splits, (value) => plain(value, 3), { size: 40 }),
    ],
    hooks: { drawAxes: [(/** @type {import("uplot")} */ plot) => drawZeros(plot, colours.muted)] },
  };
}

/**
 * The frame of small pictures beside each other: the lines alone, on equal axes.
 * @param {Colours} colours
 */
function smallFrame(colours) {
  return {
    padding: [6, 4, 4, 4],
    scales: { x: { time: false, range: whole }, y: { range: airy } },
    axes: [HIDDEN, HIDDEN],
    cursor: HIDDEN,
    hooks: { drawAxes: [(/** @type {import("uplot")} */ plot) => drawZeros(plot, colours.muted)] },
  };
}

/**
 * @param {import("uplot")} plot
 * @param {number} first
 * @param {number} last
 */
const whole = (plot, first, last) => [first, last];

/**
 * A range around the figures and 0, with a margin, at least one unit high.
 * @param {import("uplot")} plot
 * @param {number | null} least
 * @param {number | null} most
 */
function airy(plot, least, most) {
  const low = Math.min(0, least ?? 0);
  const high = Math.max(low + 1, most ?? 1);
  const air = 0.06 * (high - low);
  return [low - air, high + air];
}

/**
 * The lines x = 0 and y = 0, where they lie inside the picture.
 * @param {import("uplot")} of
 * @param {string} color
 */
function drawZeros({ ctx, bbox: { left, top, width, height }, valToPos }, color) {
  const [x, y] = [Math.round(valToPos(0, "x", true)) + 0.5, Math.round(valToPos(0, "y", true)) + 0.5];
  ctx.strokeStyle = color;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  if (x >= left && x <= left + width) ctx.rect(x, top, 0, height);
  if (y >= top && y <= top + height) ctx.rect(left, y, width, 0);
  ctx.stroke();
}

/**
 * @param {number} place
 * @param {Api.CurveView} curve
 * @param {string} color
 * @param {Colours} colours
 */
function functionTip(place, curve, color, colours) {
  const at = curve.x.indexOf(place);
  return tip(`x = ${plain(place)}`, [
    { color, name: "f(x)", value: plain(curve.y[at]) },
    { color: colours.muted, name: "f′(x)", value: plain(curve.dy[at]) },
  ]);
}
