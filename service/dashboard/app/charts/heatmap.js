/** A figure per layer and epoch as colours. What is not defined stays empty. */
import { html, useCallback, useMemo } from "../core/html.js";
import { plain } from "../text/format.js";
import { axis, WHOLE, xAxis } from "./axes.js";
import { RAMP, rampColor, useColours } from "./palette.js";
import { Picture } from "./picture.js";
import { tip } from "./tip.js";

/** @typedef {[number, number, number | null, string]} Cell epoch's index, layer's index, figure, note */

const ROW_PX = 24;
const AXIS_PX = 46;
const MOST_APART = 60; // from so many epochs on, cells touch

/**
 * @param {{title: string, layers: string[], epochs: number[], cells: [number, number, number|null, string][], bounds:
 *   [number, number], log?: boolean}} props cells are [epoch's index, layer's index, figure, note]; `log` colours by
 *   the power of ten
 */
export function HeatMap({ title, layers, epochs, cells, bounds, log = false }) {
  const colours = useColours();
  const defined = useMemo(() => cells.filter(([, , value]) => value !== null && (!log || value > 0)), [cells, log]);
  const shape = useMemo(
    () => heatShape(defined, layers, epochs, bounds, log, colours),
    [defined, layers, epochs, bounds, log, colours],
  );
  const data = useMemo(() => [epochs.map((_, index) => index), epochs.map(() => null)], [epochs]);
  const tipAt = useCallback(
    (/** @type {import("uplot")} */ plot) => heatTip(plot, defined, layers, epochs),
    [defined, layers, epochs],
  );
  return html`<${Picture} shape=${shape} data=${data} tip=${tipAt} height=${layers.length * ROW_PX + AXIS_PX}
    label=${`${title} by layer and epoch: ${ends(layers, cells)}`} />
    <${Ramp} bounds=${bounds} log=${log} />`;
}

/**
 * The last figure of one layer, in words.
 * @param {string[]} layers
 * @param {Cell[]} cells
 */
function ends(layers, cells) {
  const last = new Map(cells.filter(([, , value]) => value !== null).map(([, layer, value]) => [layer, value]));
  return (
    layers
      .map((layer, index) => (last.has(index) ? `${layer} ${plain(last.get(index), 3)}` : ""))
      .filter(Boolean)
      .join(", ") || "not defined"
  );
}

/**
 * @param {Cell[]} cells
 * @param {string[]} layers
 * @param {number[]} epochs
 * @param {[number, number]} bounds
 * @param {boolean} log
 * @param {Colours} colours
 */
function heatShape(cells, layers, epochs, bounds, log, colours) {
  const named = {
    size: 64,
    splits: () => layers.map((_, index) => index),
    values: () => layers,
    grid: { show: false },
  };
  return {
    padding: [6, 8, 0, 0],
    scales: {
      x: { time: false, range: () => [-0.5, epochs.length - 0.5] },
      y: { dir: -1, range: () => [-0.5, layers.length - 0.5] },
    },
    series: [{}, {}],
    axes: [
      xAxis(colours, "epoch", {
        ...WHOLE,
        values: (/** @type {unknown} */ _plot, /** @type {number[]} */ splits) => splits.map((index) => epochs[index]),
        border: { show: false },
      }),
      axis(colours, named),
    ],
    cursor: { x: false, y: false },
    hooks: {
      drawAxes: [
        (/** @type {import("uplot")} */ plot) =>
          cells.forEach((cell) => drawCell(plot, cell, bounds, log, epochs.length > MOST_APART ? 0 : devicePixelRatio)),
      ],
    },
  };
}

/**
 * @param {import("uplot")} of
 * @param {Cell} ends
 * @param {[number, number]} bounds
 * @param {boolean} log
 * @param {number} apart
 */
function drawCell({ ctx, valToPos }, [epoch, layer, value], bounds, log, apart) {
  /**
   * @param {number} at
   * @param {string} scale
   */
  const edge = (at, scale) => Math.round(valToPos(at, scale, true));
  const [left, right, top, bottom] = [
    edge(epoch - 0.5, "x"),
    edge(epoch + 0.5, "x"),
    edge(layer - 0.5, "y"),
    edge(layer + 0.5, "y"),
  ];
  ctx.fillStyle = colorOf(log ? Math.log10(value ?? 0) : (value ?? 0), bounds);
  ctx.fillRect(left, top, right - left - apart, bottom - top - apart);
}

/**
 * The ramp's colour of a figure; of figures that are all the same, its first.
 * @param {number} value
 * @param {[number, number]} ends
 */
const colorOf = (value, [low, high]) => rampColor(high > low ? (value - low) / (high - low) : 0);

/** @param {{bounds: [number, number], log: boolean}} props */
function Ramp({ bounds: [low, high], log }) {
  /** @param {number} value */
  const worded = (value) => (log ? plain(10 ** value, 2) : plain(value, 3));
  return html`<p class="ramp small-text muted"><span>${worded(low)}</span>
    <span class="ramp-bar" style=${{ background: `linear-gradient(to right, ${RAMP.join()})` }}></span><span>
      ${worded(high)}</span></p>`;
}

/**
 * @param {import("uplot")} plot
 * @param {Cell[]} cells
 * @param {string[]} layers
 * @param {number[]} epochs
 */
function heatTip(plot, cells, layers, epochs) {
  const [epoch, layer] = [plot.posToVal(plot.cursor.left ?? -1, "x"), plot.posToVal(plot.cursor.top ?? -1, "y")].map(
    Math.round,
  );
  const cell = cells.find((one) => one[0] === epoch && one[1] === layer);
  return cell ? tip(`${layers[layer]}, epoch ${epochs[epoch]}`, [{ name: cell[3], value: plain(cell[2], 4) }]) : [];
}
