/** Mean curves with interval bands and, as options, the curve of every seed and the published one. */
import { html, useCallback, useMemo } from "../core/html.js";
import { figure, plain, range } from "../text/format.js";
import { groupLabel } from "../text/labels.js";
import { evenly, logRange, logSplits, WHOLE, xAxis, yAxis } from "./axes.js";
import { LineChart } from "./lines.js";
import { useColours } from "./palette.js";
import { tip } from "./tip.js";

const MOST_IN_TIP = 12;
const MOST_MARKED = 30;
const NEARLY_ALL = 0.97; // from here on, an axis that ends at a round number may end beyond 1
const EVEN = evenly(4);
const PADDING = [10, 12, 0, 0];

/**
 * @typedef {Pick<Api.Curve, "factors" | "epochs" | "mean" | "low" | "high" | "n" | "seconds" | "seeds">} PlottedCurve
 * @typedef {{group: PlottedCurve, style: LineStyle}} DrawnCurve
 * @typedef {{title: string, unit: string, reference?: Api.Reference | null}} DrawnCurves
 * @typedef {import("./lines.js").Line & {kind: "mean" | "seed" | "published", group?: PlottedCurve, name?: any}}
 *   CurveLine
 */

/**
 * @param {{curves: DrawnCurves, groups: DrawnCurve[], options: Omit<CurveOptions, "published">,
 *   height?: number}} props
 *   `curves` as GET /curves answers; `groups` those of it that are drawn, and how.
 */
export function CurvesChart({ curves, groups, options, height = 300 }) {
  const colours = useColours();
  const { unit } = curves;
  const isLog = options.log && unit !== "fraction";
  const inSeconds = options.x === "seconds";
  const frame = useMemo(() => frameOf(unit, isLog, inSeconds, colours), [unit, isLog, inSeconds, colours]);
  const lines = useMemo(() => linesOf(curves, groups, options, isLog), [curves, groups, options, isLog]);
  const tipAt = useCallback(
    (/** @type {number} */ place) => curvesTip(place, lines, unit, inSeconds),
    [lines, unit, inSeconds],
  );
  const ends = groups.map(({ group }) => lastOf(group, unit)).join("; ") || "nothing yet";
  const label = `${curves.title} by ${inSeconds ? "seconds of training" : "epoch"}: ${ends}`;
  return html`<${LineChart} lines=${lines} frame=${frame} tip=${tipAt} height=${height} label=${label} />`;
}

/**
 * The last figure of a curve, in words.
 * @param {DrawnCurve["group"]} group
 * @param {string} unit
 */
function lastOf(group, unit) {
  const at = group.mean.findLastIndex((value) => value !== null);
  return at < 0
    ? `${groupLabel(group.factors)}: nothing yet`
    : `${groupLabel(group.factors)}: ${figure(group.mean[at], unit)} at epoch ${group.epochs[at]}, n = ${group.n[at]}`;
}

/**
 * @param {string} unit
 * @param {boolean} isLog
 * @param {boolean} inSeconds
 * @param {Colours} colours
 */
function frameOf(unit, isLog, inSeconds, colours) {
  const isShare = unit === "fraction";
  /** @param {number} value */
  const worded = (/** @type {number} */ value) => (isShare ? plain(100 * value, 4) : plain(value, 3));
  return {
    padding: PADDING,
    scales: {
      x: { time: false, range: inSeconds ? secondsRange : epochsRange },
      y: isLog
        ? { distr: 3, range: logRange }
        : {
            range: (
              /** @type {import("uplot")} */ plot,
              /** @type {number | null} */ low,
              /** @type {number} */ high,
            ) => linearRange(plot, low, high, unit),
          },
    },
    axes: [
      xAxis(colours, inSeconds ? "seconds of training" : "epoch", inSeconds ? {} : WHOLE),
      yAxis(colours, isLog ? logSplits : EVEN.splits, worded),
    ],
  };
}

/**
 * The range of epochs; uPlot's own is wider around a single epoch.
 * @param {import("uplot")} of
 */
function epochsRange({ data: [epochs] }) {
  const first = epochs[0] ?? 1;
  return [first, Math.max(epochs.at(-1) ?? first, first + 1)];
}

/** @param {import("uplot")} of */
const secondsRange = ({ data: [seconds] }) => [0, seconds.at(-1) ?? 1];

/**
 * No figure of a curve is below 0, and no share above 1; the axis shows no room there, whatever an interval's end.
 * @param {import("uplot")} plot
 * @param {number | null} low
 * @param {number} high
 * @param {string} unit
 */
function linearRange(plot, low, high, unit) {
  if (low === null || !unit) return EVEN.range(plot, low, high);
  const [start, end] = EVEN.range(plot, Math.max(0, low), high);
  return [Math.max(0, start), unit === "fraction" && high > NEARLY_ALL ? 1 : end];
}

/**
 * The lines from the lowest to the topmost: those of seeds, the published, the means.
 * @param {DrawnCurves} curves
 * @param {DrawnCurve[]} groups
 * @param {Pick<CurveOptions, "x" | "log" | "bands" | "seeds">} options
 * @param {boolean} isLog
 */
function linesOf(curves, groups, options, isLog) {
  const inSeconds = options.x === "seconds";
  const seeds = options.seeds ? groups.flatMap(({ group, style }) => seedsOf(group, style, inSeconds)) : [];
  const published = curves.reference && !inSeconds ? publishedOf(curves.reference, groups) : [];
  return [
    ...seeds,
    ...published,
    ...groups.map(({ group, style }) => meanOf(group, style, inSeconds, options.bands, isLog)),
  ];
}

/**
 * @param {DrawnCurve["group"]} group
 * @param {boolean} inSeconds
 */
const placesOf = (group, inSeconds) => (inSeconds ? (group.seconds ?? []) : group.epochs);

/**
 * @param {DrawnCurve["group"]} group
 * @param {LineStyle} style
 * @param {boolean} inSeconds
 * @param {boolean} hasBand
 * @param {boolean} isLog
 * @returns {CurveLine}
 */
function meanOf(group, style, inSeconds, hasBand, isLog) {
  const x = placesOf(group, inSeconds);
  const band = hasBand
    ? {
        low: group.low.map((/** @type {number | null} */ low, /** @type {number} */ at) =>
          floor(low, group.mean[at], isLog),
        ),
        high: group.high,
      }
    : {};
  return {
    kind: "mean",
    group,
    x,
    y: group.mean,
    ...band,
    style: { color: style.color, width: 2, dash: style.dash, symbol: x.length <= MOST_MARKED ? style.symbol : null },
  };
}

/**
 * A logarithmic axis has no place for an interval's end at or below 0: there the band ends a hundredth below the mean.
 * @param {number | null} low
 * @param {number | null} mean
 * @param {boolean} isLog
 */
const floor = (low, mean, isLog) => (low !== null && mean !== null && isLog && low <= 0 ? mean / 100 : low);

/**
 * @param {DrawnCurve["group"]} group
 * @param {LineStyle} style
 * @param {boolean} inSeconds
 * @returns {CurveLine[]}
 */
function seedsOf(group, style, inSeconds) {
  return Object.values(group.seeds ?? {}).map((values) => ({
    kind: "seed",
    x: placesOf(group, inSeconds),
    y: values,
    style: { color: style.color, width: 1, alpha: 0.45 },
  }));
}

/**
 * @param {Api.Reference} reference
 * @param {DrawnCurve[]} groups
 * @returns {CurveLine[]}
 */
function publishedOf(reference, groups) {
  return reference.curves.flatMap(({ factors, epochs, values }) => {
    const own = groups.find(({ group }) => group.factors.activation === factors.activation);
    return own
      ? [
          {
            kind: "published",
            name: factors.activation,
            x: epochs,
            y: values,
            style: { color: own.style.color, width: 1.5, dash: [5, 4] },
          },
        ]
      : [];
  });
}

/**
 * The figures of the lines at the pointer, the greatest mean first.
 * @param {number} place
 * @param {CurveLine[]} lines
 * @param {string} unit
 * @param {boolean} inSeconds
 */
function curvesTip(place, lines, unit, inSeconds) {
  const here = lines
    .map((line) => ({ ...line, at: line.x.indexOf(place) }))
    .filter(({ y, at }) => at >= 0 && y[at] !== null);
  const means = here.filter(({ kind }) => kind === "mean").sort((a, b) => Number(b.y[b.at]) - Number(a.y[a.at]));
  const published = here.filter(({ kind }) => kind === "published");
  const more = means.length > MOST_IN_TIP ? [{ name: `and ${means.length - MOST_IN_TIP} more`, value: "" }] : [];
  const title = inSeconds ? `${plain(place, 3)} s` : `Epoch ${place}`;
  return tip(title, [
    ...means.slice(0, MOST_IN_TIP).map((line) => meanRow(/** @type {any} */ (line), unit)),
    ...more,
    ...published.map((line) => publishedRow(line, unit)),
  ]);
}

/**
 * @param {CurveLine & {group: PlottedCurve, at: number}} of
 * @param {string} unit
 */
function meanRow({ group, style, at }, unit) {
  const [low, high] = [group.low[at], group.high[at]];
  const interval = low === null || high === null ? "" : ` (${range([low, high], unit)})`;
  return {
    color: style.color,
    name: `${groupLabel(group.factors)}, n = ${group.n[at]}`,
    value: figure(group.mean[at], unit) + interval,
  };
}

/**
 * @param {CurveLine & {at: number}} of
 * @param {string} unit
 */
const publishedRow = ({ name, style, y, at }, unit) => ({
  color: style.color,
  name: `${name}, published`,
  value: figure(y[at], unit),
});
