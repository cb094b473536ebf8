/** Axes in the page's colours: their ranges, their lines and their figures. */
import { plain } from "../text/format.js";

const FONT = '12px "Inter Variable", system-ui, sans-serif';
const STEPS = [1, 2, 3, 5, 10];
const TINY = 1e-9; // what rounding may have left of a whole number of steps
const MOST_ROUNDS = 4;
const LOG_INTERVALS = 4;
const MANY_POWERS = 1000;

/**
 * An axis of uPlot, with the options of `extra` over it.
 * @param {Colours} colours
 * @param {import("uplot").Axis} [extra]
 */
export function axis(colours, extra = {}) {
  const line = { stroke: colours.line, width: 1 };
  return {
    stroke: colours.muted,
    font: FONT,
    labelFont: FONT,
    gap: 6,
    grid: line,
    ticks: { show: false },
    border: { show: false, ...line },
    ...extra,
  };
}

/**
 * An axis along the bottom, with a title and without grid lines.
 * @param {Colours} colours
 * @param {string | undefined} title
 * @param {import("uplot").Axis} [extra]
 */
export function xAxis(colours, title, extra = {}) {
  const { border } = axis(colours);
  const values = worded((value) => plain(value, 6));
  return axis(colours, {
    label: title,
    labelSize: 16,
    size: 24,
    values,
    grid: { show: false },
    border: { ...border, show: true },
    ...extra,
  });
}

/**
 * An axis at the left with grid lines at `splits`, whose figures `format` writes.
 * @param {Colours} colours
 * @param {import("uplot").Axis.Splits} splits
 * @param {(value: number) => string} format
 * @param {import("uplot").Axis} [extra]
 */
export function yAxis(colours, splits, format, extra = {}) {
  // Without `space` and `filter`, uPlot leaves out an axis whose steps are not its own.
  return axis(colours, {
    size: 48,
    space: 0,
    splits,
    values: worded(format),
    filter: (_plot, values) => values,
    ...extra,
  });
}

/**
 * Without data an axis has no figures beside it.
 * @param {(value: number) => string} format
 */
const worded = (format) => (/** @type {import("uplot")} */ plot, /** @type {number[]} */ splits) =>
  splits.map((value) => (plot.data[0].length > 0 ? format(value) : ""));

/** Ticks at whole epochs, as close as their figures fit. */
export const WHOLE = { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 26 };

/**
 * Round numbers in about so many intervals: `range` of a scale around its figures, and `splits` of its axis.
 * @param {number} intervals
 */
export const evenly = (intervals) => ({
  range: (/** @type {unknown} */ _plot, /** @type {number | null} */ low, /** @type {number} */ high) =>
    /** @type {[number, number]} */ (low === null ? [0, 1] : evenRange(low, high, intervals)),
  /** @type {(plot: unknown, index: number, low: number, high: number) => number[]} */
  splits: (_plot, _index, low, high) => evenSplits(low, high, intervals),
});

/**
 * A range of round numbers; around figures that are all the same, as wide as they are large. A wider range may have
 * wider steps, so that this is repeated until they settle.
 * @param {number} low
 * @param {number} high
 * @param {number} intervals
 */
function evenRange(low, high, intervals) {
  const isFlat = high / 2 - low / 2 <= TINY * Math.max(Math.abs(low), Math.abs(high));
  const air = isFlat ? Math.abs(low) / 2 || 0.5 : 0;
  let [first, last] = [low - air, high + air];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const step = evenStep(first, last, intervals);
    [first, last] = [step * Math.floor(first / step + TINY), step * Math.ceil(last / step - TINY)].map(finite);
  }
  return [first, last];
}

/** @param {number} value */
const finite = (value) => Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));

/**
 * @param {number} low
 * @param {number} high
 * @param {number} intervals
 */
function evenSplits(low, high, intervals) {
  const step = evenStep(low, high, intervals);
  const first = Math.ceil(low / step - TINY);
  return Array.from({ length: Math.floor(high / step + TINY) - first + 1 }, (_, number) =>
    Number(((first + number) * step).toPrecision(12)),
  );
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number} intervals
 */
function evenStep(low, high, intervals) {
  const width = high / intervals - low / intervals; // divided first: the largest figures have no difference
  const power = 10 ** Math.floor(Math.log10(width));
  return (
    power *
    STEPS.reduce((best, step) => (Math.abs(step - width / power) < Math.abs(best - width / power) ? step : best))
  );
}

/**
 * A range on a logarithmic axis, from 1, 2 or 5 times a power of ten to another such number; figures are above 0.
 * @param {import("uplot")} plot
 * @param {number | null} low
 * @param {number} high
 */
export function logRange(plot, low, high) {
  if (low === null) return [0.1, 1];
  const around = roundsOf(low / 10, high * 10);
  return [around.findLast((value) => value <= low), around.find((value) => value >= high && value > low)];
}

/**
 * Ticks at 1, 2 and 5 times each power of ten; of many powers at 1 alone; within one power in even steps.
 * @param {import("uplot")} plot
 * @param {number} index
 * @param {number} low
 * @param {number} high
 */
export function logSplits(plot, index, low, high) {
  if (high / low < 10) return evenSplits(low, high, LOG_INTERVALS);
  return roundsOf(low, high, high / low > MANY_POWERS ? [1] : [1, 2, 5]);
}

/**
 * @param {number} low
 * @param {number} high
 * @param {number[]} [mantissas]
 */
function roundsOf(low, high, mantissas = [1, 2, 5]) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, number) => first + number);
  return powers
    .flatMap((power) => mantissas.map((mantissa) => Number(`${mantissa}e${power}`)))
    .filter((value) => value >= low && value <= high);
}
