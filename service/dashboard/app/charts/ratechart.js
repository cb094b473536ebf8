/** What each learning rate that was tried gave: a line for each combination, on a logarithmic axis. */
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

/** @param {{lines: {choice: any, style: any}[]}} props `choice` as in `tuning.choices` of a study; the chosen rate has the large symbol */
export function RateChart({ lines }) {
  const colours = useColours();
  const frame = useMemo(() => frameOf(colours), [colours]);
  const drawn = useMemo(() => lines.flatMap(linesOf), [lines]);
  const told = useCallback((rate) => rateTip(rate, lines), [lines]);
  const label = lines
    .map(
      ({ choice }) =>
        `${groupLabel(choice.factors)}: ${choice.learning_rate === null ? "no rate worked" : `${plain(choice.learning_rate)} chosen`}`,
    )
    .join("; ");
  return html`<${LineChart} lines=${drawn} frame=${frame} tip=${told} height=${240}
    label=${`Validation accuracy by learning rate: ${label}`} />`;
}

function frameOf(colours) {
  const rates = { splits: (plot) => plot.data[0], filter: (plot, splits) => splits, values: apart };
  return {
    padding: [10, 24, 0, 0],
    scales: { x: { time: false, distr: 3, range: ratesRange }, y: { range: EVEN.range } },
    axes: [xAxis(colours, "learning rate", rates), yAxis(colours, EVEN.splits, (value) => plain(100 * value, 4))],
  };
}

/** The rates in words, but for those that would stand too close to the one before. */
function apart(plot, rates) {
  let end = -Infinity;
  return rates.map((rate) => {
    const at = plot.valToPos(rate, "x");
    if (at - end < WORD_PX) return "";
    end = at;
    return plain(rate, 2);
  });
}

const ratesRange = (plot, least, most) => (least === most ? [least / 2, most * 2] : [least, most]);

/** The rates that were tried, and the chosen one once more, larger. */
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

function rateTip(rate, lines) {
  const scores = lines.map(({ choice, style }) => ({
    choice,
    style,
    score: choice.scores.find((score) => score.learning_rate === rate),
  }));
  const measured = scores
    .filter(({ score }) => score && score.validation_accuracy !== null)
    .sort((a, b) => b.score.validation_accuracy - a.score.validation_accuracy);
  // prettier-ignore
  return tip(`Rate ${plain(rate)}`, measured.map(({ choice, style, score }) => ({
    color: style.color, name: `${groupLabel(choice.factors)}, n = ${score.n}${choice.learning_rate === rate ? ", chosen" : ""}`, value: percent(score.validation_accuracy),
  })));
}
