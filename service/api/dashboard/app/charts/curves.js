/** Mean curves with interval bands, and, asked for, the curve of every seed and the published one. */
import { html, useMemo } from "../html.js";
import { figure, plain, range } from "../format.js";
import { groupLabel } from "../labels.js";
import { useColours } from "../palette.js";
import { axis, base, tip } from "./base.js";
import { Chart } from "./chart.js";

const MOST_IN_TIP = 12;
const NEARLY_ALL = 0.97; // from here on, an axis that ends at a round number may end beyond 1

/**
 * @param {{curves: any, groups: {group: any, style: any}[], options: {x: string, log: boolean, bands: boolean, seeds: boolean}, height?: number}} props
 *   `curves` as GET /curves answers; `groups` those of it that are drawn, and how.
 */
export function CurvesChart({ curves, groups, options, height = 300 }) {
  const colours = useColours();
  const option = useMemo(() => curvesOption(curves, groups, options, colours), [curves, groups, options, colours]);
  const label = `${curves.title} by ${options.x === "seconds" ? "seconds of training" : "epoch"}: ${groups.map(({ group }) => lastOf(group, curves.unit)).join("; ") || "nothing yet"}`;
  return html`<${Chart} option=${option} height=${height} label=${label} />`;
}

/** A curve's end in words. */
function lastOf(group, unit) {
  const at = group.mean.findLastIndex((value) => value !== null);
  return at < 0 ? `${groupLabel(group.factors)}: nothing yet` : `${groupLabel(group.factors)}: ${figure(group.mean[at], unit)} at epoch ${group.epochs[at]}, n = ${group.n[at]}`;
}

function curvesOption(curves, groups, options, colours) {
  const isShare = curves.unit === "fraction";
  const isLog = options.log && !isShare;
  const tidy = (value) => (isShare ? `${plain(100 * value, 4)}` : plain(value, 3));
  const inSeconds = options.x === "seconds";
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, trigger: "axis", axisPointer: { type: "line", lineStyle: { color: colours.muted } }, formatter: (rows) => curvesTip(rows, curves, groups, inSeconds) },
    grid: { left: 48, right: 12, top: 10, bottom: 40 },
    xAxis: axis(colours, { min: inSeconds ? 0 : 1, ...(inSeconds ? {} : { minInterval: 1, max: "dataMax" }), name: inSeconds ? "seconds of training" : "epoch", nameLocation: "middle", nameGap: 24, splitLine: { show: false }, axisLine: { show: true, lineStyle: { color: colours.line } } }),
    yAxis: axis(colours, { type: isLog ? "log" : "value", scale: true, splitNumber: 4, ...(isLog || !curves.unit ? {} : { min: notBelow, max: isShare ? notAbove : null }), axisLabel: { ...axis(colours).axisLabel, formatter: tidy } }),
    series: groups.flatMap(({ group, style }, index) => seriesOf(group, style, index, options, { isShare, isLog })).concat(publishedSeries(curves, groups, inSeconds)),
  };
}

/** No figure of a curve is below 0, and no share above 1; the axis shows no room there, whatever an interval's end. */
const notBelow = ({ min }) => (min < 0 ? 0 : null);
const notAbove = ({ max }) => (max > NEARLY_ALL ? 1 : null);

const xOf = (group, inSeconds) => (inSeconds ? group.seconds ?? [] : group.epochs);

function seriesOf(group, style, index, options, axisKind) {
  const x = xOf(group, options.x === "seconds");
  const line = { type: "line", showSymbol: false, lineStyle: { color: style.color, width: 2, type: style.dash ?? "solid" }, itemStyle: { color: style.color } };
  const marked = { symbol: style.symbol, symbolSize: 6, showSymbol: x.length <= 30 };
  const mean = { ...line, ...marked, id: `mean-${index}`, name: groupLabel(group.factors), data: x.map((at, epoch) => [at, group.mean[epoch], epoch]), z: 4 };
  const seeds = !options.seeds || !group.seeds ? [] : Object.entries(group.seeds).map(([seed, values]) => ({
    ...line, id: `seed-${index}-${seed}`, silent: true, z: 3, lineStyle: { color: style.color, width: 1, opacity: 0.45 }, tooltip: { show: false }, data: x.map((at, epoch) => [at, values[epoch]]),
  })); // prettier-ignore
  return [...(options.bands ? [bandOf(group, x, style, index, axisKind)] : []), ...seeds, mean];
}

/** The interval as one polygon per unbroken stretch. ECharts' own stacked bands do not work on a logarithmic axis. Every
 * epoch is in the data, so that the axis has room for the whole band; of shares, none beyond 100 %. */
function bandOf(group, x, style, index, { isShare, isLog }) {
  const stretches = new Map(stretchesOf(group).map((stretch) => [stretch[0], stretch]));
  const cut = (value) => (isShare && value !== null ? Math.min(1, Math.max(0, value)) : value);
  return {
    type: "custom", id: `band-${index}`, silent: true, z: 2, clip: true, tooltip: { show: false }, encode: { x: 0, y: [1, 2] },
    data: x.map((at, epoch) => [at, group.low[epoch] === null ? null : cut(floor(group, epoch, isLog)), cut(group.high[epoch])]),
    renderItem: (params, api) => {
      const stretch = stretches.get(params.dataIndex);
      if (!stretch) return null;
      const upper = stretch.map((at) => api.coord([x[at], group.high[at]]));
      const lower = stretch.map((at) => api.coord([x[at], floor(group, at, isLog)]));
      return { type: "polygon", shape: { points: [...upper, ...lower.reverse()] }, style: { fill: style.color, opacity: 0.16 } };
    },
  }; // prettier-ignore
}

/** A logarithmic axis has no place for an interval's end at or below 0: there the band ends a hundredth below the mean. */
const floor = (group, at, isLog) => (!isLog || group.low[at] > 0 ? group.low[at] : group.mean[at] / 100);

function stretchesOf(group) {
  const found = [];
  group.low.forEach((low, at) => {
    if (low === null) return;
    if (found.at(-1)?.at(-1) === at - 1) found.at(-1).push(at);
    else found.push([at]);
  });
  return found.filter((stretch) => stretch.length > 1);
}

function publishedSeries(curves, groups, inSeconds) {
  if (!curves.reference || inSeconds) return [];
  return curves.reference.curves.flatMap((published) => {
    const own = groups.find(({ group }) => group.factors.activation === published.factors.activation);
    if (!own) return [];
    return [{
      type: "line", id: `published-${published.factors.activation}`, name: `${published.factors.activation}, published`, showSymbol: false, z: 3,
      lineStyle: { color: own.style.color, width: 1.5, type: [5, 4] }, itemStyle: { color: own.style.color },
      data: published.epochs.map((epoch, index) => [epoch, published.values[index]]),
    }]; // prettier-ignore
  });
}

function curvesTip(rows, curves, groups, inSeconds) {
  const means = rows.filter((row) => row.seriesId.startsWith("mean-") && row.value[1] !== null && row.value[1] !== undefined);
  const published = rows.filter((row) => row.seriesId.startsWith("published-"));
  const lines = means.sort((a, b) => b.value[1] - a.value[1]).map((row) => tipLine(row, curves, groups));
  const title = inSeconds ? `${plain(rows[0].axisValue, 3)} s` : `Epoch ${rows[0].axisValue}`;
  const rest = lines.length > MOST_IN_TIP ? [{ name: `and ${lines.length - MOST_IN_TIP} more`, value: "" }] : [];
  return tip(title, [...lines.slice(0, MOST_IN_TIP), ...rest, ...published.map((row) => ({ color: row.color, name: row.seriesName, value: figure(row.value[1], curves.unit) }))]);
}

function tipLine(row, curves, groups) {
  const { group, style } = groups[Number(row.seriesId.slice("mean-".length))];
  const at = row.value[2];
  const interval = group.low[at] === null ? "" : ` (${range([group.low[at], group.high[at]], curves.unit)})`;
  return { color: style.color, name: `${row.seriesName}, n = ${group.n[at]}`, value: figure(row.value[1], curves.unit) + interval };
}
