/** What each learning rate that was tried gave: a line for each combination, on a logarithmic axis. */
import { html, useMemo } from "../html.js";
import { percent, plain } from "../format.js";
import { groupLabel } from "../labels.js";
import { useColours } from "../palette.js";
import { axis, base, tip } from "./base.js";
import { Chart } from "./chart.js";

/** @param {{lines: {choice: any, style: any}[]}} props `choice` as in `tuning.choices` of a study; the chosen rate has the large symbol */
export function RateChart({ lines }) {
  const colours = useColours();
  const option = useMemo(() => rateOption(lines, colours), [lines, colours]);
  const label = lines.map(({ choice }) => `${groupLabel(choice.factors)}: ${choice.learning_rate === null ? "no rate worked" : `${plain(choice.learning_rate)} chosen`}`).join("; ");
  return html`<${Chart} option=${option} height=${240} label=${`Validation accuracy by learning rate: ${label}`} />`;
}

function rateOption(lines, colours) {
  const rates = [...new Set(lines.flatMap(({ choice }) => choice.scores.map((score) => score.learning_rate)))];
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, trigger: "axis", axisPointer: { type: "line", lineStyle: { color: colours.muted } }, formatter: (rows) => rateTip(rows, lines) },
    grid: { left: 48, right: 24, top: 10, bottom: 40 },
    xAxis: axis(colours, { type: "log", name: "learning rate", nameLocation: "middle", nameGap: 24, min: "dataMin", max: "dataMax", splitLine: { show: false }, axisLine: { show: true, lineStyle: { color: colours.line } }, axisLabel: { ...axis(colours).axisLabel, customValues: rates, formatter: (rate) => plain(rate, 2) } }),
    yAxis: axis(colours, { scale: true, splitNumber: 4, axisLabel: { ...axis(colours).axisLabel, formatter: (value) => plain(100 * value, 4) } }),
    series: lines.map(lineOf),
  };
}

function lineOf({ choice, style }, index) {
  return {
    type: "line", id: `rates-${index}`, name: groupLabel(choice.factors), symbol: style.symbol, showSymbol: true,
    symbolSize: ([rate]) => (rate === choice.learning_rate ? 11 : 5),
    lineStyle: { color: style.color, width: 2, type: style.dash ?? "solid" }, itemStyle: { color: style.color },
    data: choice.scores.map((score) => [score.learning_rate, score.validation_accuracy, score.n]),
  }; // prettier-ignore
}

function rateTip(rows, lines) {
  const measured = rows.filter((row) => row.value[1] !== null).sort((a, b) => b.value[1] - a.value[1]);
  return tip(`Rate ${plain(rows[0].value[0])}`, measured.map((row) => {
    const isChosen = lines[Number(row.seriesId.slice("rates-".length))].choice.learning_rate === row.value[0];
    return { color: row.color, name: `${row.seriesName}, n = ${row.value[2]}${isChosen ? ", chosen" : ""}`, value: percent(row.value[1]) };
  }));
}
