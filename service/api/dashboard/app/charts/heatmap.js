/** A figure per layer and epoch as colours. What is not defined stays empty. */
import { html, useMemo } from "../html.js";
import { plain } from "../format.js";
import { useColours } from "../palette.js";
import { axis, base, tip } from "./base.js";
import { Chart } from "./chart.js";

/** From little to much, in even steps of lightness, after cividis, which colour-blind eyes see alike. */
const RAMP = ["#f3ead0", "#d9c878", "#a59c74", "#7b7b78", "#4c556c", "#14315c"];
const ROW_PX = 24;

/**
 * @param {{title: string, layers: string[], epochs: number[], cells: [number, number, number|null, string][], bounds: [number, number],
 *   log?: boolean}} props cells are [epoch's index, layer's index, figure, note]; `log` colours by the power of ten
 */
export function HeatMap({ title, layers, epochs, cells, bounds, log = false }) {
  const colours = useColours();
  const option = useMemo(() => heatOption(layers, epochs, cells, bounds, log, colours), [layers, epochs, cells, bounds, log, colours]);
  const height = layers.length * ROW_PX + 84;
  return html`<${Chart} option=${option} height=${height} label=${`${title} by layer and epoch: ${ends(layers, cells)}`} />`;
}

/** The last figure of each layer, in words. */
function ends(layers, cells) {
  const last = new Map(cells.filter(([, , value]) => value !== null).map(([, layer, value]) => [layer, value]));
  return layers.map((layer, index) => (last.has(index) ? `${layer} ${plain(last.get(index), 3)}` : "")).filter(Boolean).join(", ") || "not defined";
}

function heatOption(layers, epochs, cells, [low, high], log, colours) {
  const scaled = (value) => (log ? Math.log10(value) : value);
  const shown = cells.filter(([, , value]) => value !== null && (!log || value > 0));
  const worded = (value) => (log ? plain(10 ** value, 2) : plain(value, 3));
  const label = axis(colours).axisLabel;
  return {
    ...base(colours),
    tooltip: { ...base(colours).tooltip, formatter: ({ data }) => tip(`${layers[data[1]]}, epoch ${epochs[data[0]]}`, [{ name: data[4] ?? "", value: plain(data[3], 4) }]) },
    grid: { left: 64, right: 8, top: 6, bottom: 76 },
    xAxis: axis(colours, { type: "category", data: epochs, name: "epoch", nameLocation: "middle", nameGap: 24, splitLine: { show: false }, axisLabel: label }),
    yAxis: axis(colours, { type: "category", data: layers, inverse: true, splitLine: { show: false }, axisLabel: { ...label, interval: 0 } }),
    visualMap: {
      type: "continuous", min: low, max: high > low ? high : low + 1, dimension: 2, orient: "horizontal", left: "center", bottom: 0, itemWidth: 10, itemHeight: 140,
      calculable: false, inRange: { color: RAMP }, text: [worded(high), worded(low)], textStyle: { color: colours.muted }, formatter: worded,
    },
    series: [{ type: "heatmap", data: shown.map(([epoch, layer, value, note]) => [epoch, layer, scaled(value), value, note]), itemStyle: { borderColor: colours.surface, borderWidth: epochs.length > 60 ? 0 : 1 }, emphasis: { disabled: true } }],
  }; // prettier-ignore
}
