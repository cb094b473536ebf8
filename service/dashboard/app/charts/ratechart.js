/** Validation accuracy by learning rate: a line for each combination, on a logarithmic axis. */
import { html, useCallback, useMemo } from "../core/html.js";
import { percent, plain } from "../text/format.js";
import { groupLabel } from "../text/labels.js";
import { evenly, xAxis, yAxis } from "./axes.js";
import { LineChart } from "./lines.js";
import { useColours } from "./palette.js";
import { tip } from "./tip.js";

const EVEN = evenly(4);
const WORD_PX = 44;
const SMALL = 0.75;
const LARGE = 1.6;

/** @typedef {{choice: Api.Choice, style: LineStyle}} RateLine */

/** The chosen rate has the large symbol. @param {{lines: RateLine[]}} props */
export function RateChart({ lines }) {
  const colours = useColours();
  const frame = useMemo(() => frameOf(colours), [colours]);
  const drawn = useMemo(() => lines.flatMap(linesOf), [lines]);
  const tipAt = useCallback((/** @type {number} */ rate) => rateTip(rate, lines), [lines]);
  const label = lines
    .map(
      ({ choice }) =>
        `${groupLabel(choice.factors)}: ` +
        (choice.learning_rate === null ? "no rate worked" : `${plain(choice.learning_rate)} chosen`),
    )
    .join("; ");
  return html`<${LineChart} lines=${drawn} frame=${frame} tip=${tipAt} height=${240}
    label=${`Validation accuracy by learning rate: ${label}`} />`;
}

/** @param {Colours} colours */
function frameOf(colours) {
  const rates = {
    splits: (/** @type {import("uplot")} */ plot) => /** @type {number[]} */ (plot.data[0]),
    filter: (/** @type {unknown} */ _plot, /** @type {number[]} */ splits) => splits,
    values: apart,
  };
  return {
    padding: [10, 24, 0, 0],
    scales: { x: { time: false, distr: 3, range: ratesRange }, y: { range: EVEN.range } },
    axes: [xAxis(colours, "learning rate", rates), yAxis(colours, EVEN.splits, (value) => plain(100 * value, 4))],
  };
}

/**
 * The rates in words, but for those that would stand too close to the one before.
 * @param {import("uplot")} plot
 * @param {number[]} rates
 */
function apart(plot, rates) {
  let end = -Infinity;
  return rates.map((rate) => {
    const at = plot.valToPos(rate, "x");
    if (at - end < WORD_PX) return "";
    end = at;
    return plain(rate, 2);
  });
}

/**
 * @param {import("uplot")} plot
 * @param {number} least
 * @param {number} most
 */
const ratesRange = (plot, least, most) => (least === most ? [least / 2, most * 2] : [least, most]);

/**
 * The rates that were tried, and the chosen one once more, larger.
 * @param {RateLine} of
 */
function linesOf({ choice, style }) {
  const x = choice.scores.map((score) => score.learning_rate);
  const y = choice.scores.map((score) => score.validation_accuracy);
  const line = { color: style.color, width: 2, dash: style.dash, symbol: style.symbol, scale: SMALL };
  const chosen = y.map((value, at) => (x[at] === choice.learning_rate ? value : null));
  return [
    { x, y, style: line },
    { x, y: chosen, style: { ...line, scale: LARGE } },
  ];
}

/**
 * @param {number} rate
 * @param {RateLine[]} lines
 */
function rateTip(rate, lines) {
  const measured = lines
    .flatMap(({ choice, style }) => {
      const score = choice.scores.find((one) => one.learning_rate === rate);
      return score ? [{ choice, style, score }] : [];
    })
    .filter(({ score }) => score.validation_accuracy !== null)
    .sort((a, b) => Number(b.score.validation_accuracy) - Number(a.score.validation_accuracy));
  return tip(
    `Rate ${plain(rate)}`,
    measured.map(({ choice, style, score }) => ({
      color: style.color,
      name: `${groupLabel(choice.factors)}, n = ${score.n}${choice.learning_rate === rate ? ", chosen" : ""}`,
      value: percent(score.validation_accuracy),
    })),
  );
}
