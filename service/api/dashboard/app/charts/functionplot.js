/** f and f' over x: the article's figure of each function. */
import { html, useMemo } from "../html.js";
import { plain } from "../format.js";
import { useColours } from "../palette.js";
import { axis, base, tip } from "./base.js";
import { Chart } from "./chart.js";

/**
 * @param {{curve: {x: number[], y: (number|null)[], dy: (number|null)[]}, color: string, title: string,
 *   height?: number, small?: boolean}} props
 */
export function FunctionPlot({ curve, color, title, height = 320, small = false }) {
  const colours = useColours();
  const option = useMemo(() => functionOption(curve, color, colours, small), [curve, color, colours, small]);
  return html`<${Chart} option=${option} height=${height} label=${`Graph of ${title} and, dashed, of its derivative`} />`;
}

function functionOption(curve, color, colours, small) {
  const points = (values) => curve.x.map((x, index) => [x, values[index]]);
  const line = { type: "line", showSymbol: false, silent: small };
  const [low, high] = bounds([...curve.y, ...curve.dy]);
  const common = { axisLine: { show: true, onZero: true, lineStyle: { color: colours.muted } }, splitNumber: small ? 2 : 6 };
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, show: !small, trigger: "axis", formatter: (rows) => functionTip(rows, color, colours) },
    grid: small ? { left: 4, right: 4, top: 6, bottom: 4 } : { left: 40, right: 12, top: 12, bottom: 28 },
    xAxis: axis(colours, { ...common, min: curve.x[0], max: curve.x.at(-1), axisLabel: { ...axis(colours).axisLabel, show: !small } }),
    yAxis: axis(colours, { ...common, ...(small ? { min: low, max: high } : {}), axisLabel: { ...axis(colours).axisLabel, show: !small } }),
    series: [
      { ...line, name: "f'", data: points(curve.dy), lineStyle: { color: colours.muted, width: 1.5, type: [4, 3] }, itemStyle: { color: colours.muted } },
      { ...line, name: "f", data: points(curve.y), lineStyle: { color, width: 2.25 }, itemStyle: { color } },
    ],
  };
}

function functionTip(rows, color, colours) {
  const value = (name) => rows.find((row) => row.seriesName === name)?.value[1];
  return tip(`x = ${plain(rows[0].value[0])}`, [
    { color, name: "f(x)", value: plain(value("f")) },
    { color: colours.muted, name: "f′(x)", value: plain(value("f'")) },
  ]);
}

/** A frame with a little air, at least one unit high, that holds 0. */
function bounds(values) {
  const finite = values.filter((value) => value !== null);
  const low = Math.min(0, ...finite);
  const high = Math.max(low + 1, ...finite);
  const air = 0.06 * (high - low);
  return [Number((low - air).toPrecision(3)), Number((high + air).toPrecision(3))];
}
