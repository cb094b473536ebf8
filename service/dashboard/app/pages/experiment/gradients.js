/** The gradient's norm over depth: a line for each epoch, from light to dark. */
import { html, useCallback, useMemo } from "../../core/html.js";
import { plain } from "../../text/format.js";
import { logRange, logSplits, xAxis, yAxis } from "../../charts/axes.js";
import { LineChart } from "../../charts/lines.js";
import { rampColor, useColours } from "../../charts/palette.js";
import { tip } from "../../charts/tip.js";

const HEIGHT = 260;
const MOST_LINES = 12;

/** @param {{items: Api.LayerView[], frame: import("./twoepochs.js").Frame}} props */
export function Gradients({ items, frame: { layers, epochs } }) {
  const colours = useColours();
  const shown = useMemo(() => spread(epochs), [epochs]);
  const frame = useMemo(() => frameOf(layers, colours), [layers, colours]);
  const lines = useMemo(() => linesOf(items, layers, shown, colours.dark), [items, layers, shown, colours.dark]);
  const tipAt = useCallback((/** @type {number} */ depth) => depthTip(depth, lines, layers), [lines, layers]);
  if (lines.length === 0) return null;
  const last = lines[lines.length - 1];
  const ends = layers.map((layer, depth) => `${layer} ${plain(last.y[last.x.indexOf(depth)], 3)}`).join(", ");
  return html`<figure><figcaption>Gradient over depth <span class="muted small-text">Euclidean norm of each layer’s
      gradient, from the first layer to the output</span></figcaption>
    <${LineChart} lines=${lines} frame=${frame} tip=${tipAt} height=${HEIGHT}
      label=${`Gradient norm over depth, epoch ${last.epoch}: ${ends}`} />
    <p class="small-text muted legend-line">${lines.map(
      ({ epoch, style }) => html`<span key=${epoch}><svg class="swatch" viewBox="0 0 28 12" aria-hidden="true">
        <path d="M0 6H28" stroke=${style.color} stroke-width="2.5" /></svg> ${epoch}</span>`,
    )}<span>epoch${shown.length < epochs.length && `; ${shown.length} of ${epochs.length} are drawn`}</span></p>
  </figure>`;
}

/**
 * At most so many epochs, evenly spaced, with the first and the last.
 * @param {number[]} epochs
 */
function spread(epochs) {
  if (epochs.length <= MOST_LINES) return epochs;
  const step = (epochs.length - 1) / (MOST_LINES - 1);
  return Array.from({ length: MOST_LINES }, (_, at) => epochs[Math.round(at * step)]);
}

/**
 * @param {Api.LayerView[]} items
 * @param {string[]} layers
 * @param {number[]} epochs
 * @param {boolean} dark
 */
function linesOf(items, layers, epochs, dark) {
  return epochs.flatMap((epoch, at) => {
    // A logarithmic axis has no place for 0, which a gradient that does not arrive is.
    const rows = items.filter((row) => row.epoch === epoch && Number(row.gradient_norm) > 0);
    const placed = rows.map((row) => ({ x: layers.indexOf(row.layer), y: row.gradient_norm }));
    placed.sort((a, b) => a.x - b.x);
    const color = rampColor(epochs.length > 1 ? at / (epochs.length - 1) : 1, dark);
    const style = { color, width: 2, symbol: "circle" };
    return placed.length ? [{ epoch, x: placed.map(({ x }) => x), y: placed.map(({ y }) => y), style }] : [];
  });
}

/**
 * @param {string[]} layers
 * @param {Colours} colours
 */
function frameOf(layers, colours) {
  const places = layers.map((_, depth) => depth);
  return {
    padding: /** @type {[number, number, number, number]} */ ([10, 24, 0, 0]),
    scales: {
      x: { time: false, range: () => /** @type {[number, number]} */ ([-0.25, layers.length - 0.75]) },
      y: { distr: /** @type {3} */ (3), range: logRange },
    },
    axes: [
      xAxis(colours, undefined, { splits: () => places, values: () => layers, space: 0, size: 28 }),
      yAxis(colours, logSplits, (value) => plain(value, 2), { size: 56 }),
    ],
  };
}

/**
 * @param {number} depth
 * @param {ReturnType<typeof linesOf>} lines
 * @param {string[]} layers
 */
function depthTip(depth, lines, layers) {
  const rows = lines.flatMap(({ epoch, x, y, style }) => {
    const at = x.indexOf(depth);
    return at < 0 ? [] : [{ color: style.color, name: `epoch ${epoch}`, value: plain(y[at], 3) }];
  });
  return rows.length ? tip(layers[depth], rows) : [];
}
