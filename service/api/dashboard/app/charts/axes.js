/** Axes in the page's colours: which stretch they show, where their lines lie, and what stands beside them. */

const FONT = '12px "Inter Variable", system-ui, sans-serif';
const STEPS = [1, 2, 3, 5, 10];
const TINY = 1e-9; // what rounding may have left of a whole number of steps
const LOG_INTERVALS = 4;
const MANY_POWERS = 1000;

/** An axis of uPlot; `extra` goes over it. */
export function axis(colours, extra = {}) {
  const line = { stroke: colours.line, width: 1 };
  return { stroke: colours.muted, font: FONT, labelFont: FONT, gap: 6, grid: line, ticks: { show: false }, border: { show: false, ...line }, ...extra };
}

/** One along the bottom, with a title and without lines upwards. */
export function xAxis(colours, title, extra = {}) {
  const plain = axis(colours);
  return { ...plain, label: title, labelSize: 16, size: 24, grid: { show: false }, border: { ...plain.border, show: true }, ...extra };
}

/** One at the left, whose figures `format` words. */
export function yAxis(colours, format, extra = {}) {
  return axis(colours, { size: 48, values: (plot, splits) => splits.map(format), filter: (plot, splits) => splits, ...extra });
}

/** Whole epochs, as close as their figures can stand. */
export const WHOLE = { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], space: 26 };

/** Round numbers in about so many intervals: `range` of an axis around figures, and `splits` of uPlot. */
export const evenly = (intervals) => ({
  range: (low, high) => (low === null ? [0, 1] : evenRange(low, high, intervals)),
  splits: (plot, index, low, high) => evenSplits(low, high, intervals),
});

/** Around one figure alone, a stretch of its own size. A wider stretch may have wider steps, so it ends where they settle. */
function evenRange(low, high, intervals) {
  const air = low === high ? Math.abs(low) / 2 || 0.5 : 0;
  let [first, last] = [low - air, high + air];
  for (let step = 0; step !== evenStep(first, last, intervals); ) {
    step = evenStep(first, last, intervals);
    [first, last] = [step * Math.floor(first / step + TINY), step * Math.ceil(last / step - TINY)];
  }
  return [first, last];
}

function evenSplits(low, high, intervals) {
  const step = evenStep(low, high, intervals);
  const first = Math.ceil(low / step - TINY);
  return Array.from({ length: Math.floor(high / step + TINY) - first + 1 }, (_, number) => Number(((first + number) * step).toPrecision(12)));
}

function evenStep(low, high, intervals) {
  const wanted = (high - low) / intervals;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * STEPS.reduce((best, step) => (Math.abs(step - wanted / power) < Math.abs(best - wanted / power) ? step : best));
}

/** From 1, 2 or 5 of a power of ten to such another, on a logarithmic axis; figures at or below 0 have no place there. */
export function logRange(plot, low, high) {
  if (low === null) return [0.1, 1];
  const around = roundsOf(low / 10, high * 10);
  return [around.findLast((value) => value <= low), around.find((value) => value >= high && value > low)];
}

/** 1, 2 and 5 of each power of ten, of many powers 1 alone; within one power, even steps. */
export function logSplits(plot, index, low, high) {
  if (high / low < 10) return evenSplits(low, high, LOG_INTERVALS);
  return roundsOf(low, high, high / low > MANY_POWERS ? [1] : [1, 2, 5]);
}

function roundsOf(low, high, mantissas = [1, 2, 5]) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, number) => first + number);
  return powers.flatMap((power) => mantissas.map((mantissa) => Number(`${mantissa}e${power}`))).filter((value) => value >= low && value <= high);
}
