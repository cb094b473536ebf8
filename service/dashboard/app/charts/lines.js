/** Lines over a common axis, some with a band around them. */
import uPlot from "uplot";
import { html, useMemo } from "../core/html.js";
import { Picture } from "./picture.js";
import { symbolPaths } from "./symbols.js";

const BAND_ALPHA = "29"; // 16 % of 255

/**
 * @typedef {{color: string, width: number, dash?: number[], alpha?: number, symbol?: string|null, scale?: number}}
 *   Style `symbol` marks the points, `scale` times as large as in a legend
 * @typedef {{x: number[], y: (number|null)[], low?: (number|null)[], high?: (number|null)[], style: Style}} Line with
 *   its band
 *
 * @param {{lines: Line[], frame: Partial<import("uplot").Options>, height: number, label: string, tip?: (place: number)
 *   => HTMLElement[]}} props `frame` is the shape of the picture without its lines. Later lines lie over earlier ones,
 *   and all over the bands. `tip` says what is at an x.
 */
export function LineChart({ lines, frame, tip, height, label }) {
  const styles = JSON.stringify(lines.map(({ style, low }) => [style, Boolean(low)]));
  // The same for as long as only figures change.
  const shape = useMemo(
    () => ({ cursor: POINTER, ...frame, ...seriesOf(lines), hooks: { ...frame.hooks, drawClear: [scaleDashes] } }),
    [frame, styles],
  );
  const data = useMemo(() => joined(lines), [lines]);
  const tipAt = useMemo(
    () =>
      tip &&
      ((/** @type {import("uplot")} */ plot) =>
        typeof plot.cursor.idx !== "number" ? [] : tip(plot.data[0][plot.cursor.idx])),
    [tip],
  );
  return html`<${Picture} shape=${shape} data=${data} tip=${tipAt} height=${height} label=${label} />`;
}

/** @param {Line[]} lines */
function seriesOf(lines) {
  const bands = lines.filter(({ low }) => low);
  return {
    series: [{}, ...bands.flatMap(() => [EDGE, EDGE]), ...lines.map(({ style }) => strokeOf(style))],
    bands: bands.map(({ style }, index) => ({
      series: [2 * index + 2, 2 * index + 1],
      fill: style.color + BAND_ALPHA,
    })),
  };
}

/**
 * The pointer's line stands at the place with figures that is nearest to the pointer itself: when new figures come,
 * `left` is where the line stood before.
 * @param {import("uplot")} plot
 * @param {number} left
 * @param {number} top
 */
function snapped(plot, left, top) {
  if (left < 0 || plot.data[0].length === 0) return [left, top];
  const pointed = plot.cursor.event ? plot.cursor.event.clientX - plot.rect.left : left;
  return [plot.valToPos(plot.data[0][plot.posToIdx(pointed)], "x"), top];
}

/**
 * uPlot takes widths as the page's pixels and dashes as the screen's.
 * @param {import("uplot")} plot
 */
function scaleDashes(plot) {
  for (const series of /** @type {(uPlot.Series & {dashes?: number[]})[]} */ (plot.series))
    series.dash = series.dashes?.map((part) => part * devicePixelRatio);
}

const POINTER = { move: snapped, y: false };
const EDGE = { width: 0, pxAlign: 0, points: { show: false } };

/** @param {Style} of */
function strokeOf({ color, width, dash, alpha = 1, symbol, scale = 0.9 }) {
  const points = symbol ? { show: true, fill: color, paths: symbolPaths(symbol, scale) } : { show: false };
  return { stroke: color, width, dashes: dash, alpha, points, pxAlign: 0 };
}

/**
 * One column of all places, then the edges of the bands, then the lines: undefined where a line has no point, null
 * where it breaks.
 * @param {Line[]} lines
 */
function joined(lines) {
  const tables = [
    ...lines.filter(({ low }) => low).map(({ x, low, high }) => [x, low, high]),
    ...lines.map(({ x, y }) => [x, y]),
  ];
  return tables.length > 0 ? uPlot.join(/** @type {any} */ (tables)) : [[]];
}
