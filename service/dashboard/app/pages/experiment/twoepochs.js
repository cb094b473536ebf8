/** Two epochs of the layers side by side. The address names the epochs. */
import { onText } from "../../core/events.js";
import { html } from "../../core/html.js";
import { plain } from "../../text/format.js";

/**
 * @typedef {{layers: string[], epochs: number[]}} Frame
 * @typedef {import("./measures.js").Measure} Measure
 */

/** @param {{items: Api.LayerView[], frame: Frame, measures: Measure[], query: URLSearchParams,
 *   change: (changes: Record<string, string>) => void}} props */
export function TwoEpochs({ items, frame: { layers, epochs }, measures, query, change }) {
  if (epochs.length < 2) return null;
  /** @param {string} name @param {number} usual */
  const chosen = (name, usual) => epochs.find((epoch) => String(epoch) === query.get(name)) ?? usual;
  const first = chosen("epoch", epochs[0]);
  const second = chosen("against", epochs[epochs.length - 1]);
  const rows = new Map(items.map((row) => [`${row.layer} ${row.epoch}`, row]));
  /** @param {string} name @param {string} label @param {number} value */
  const choice = (name, label, value) => html`<label class="inline">${label} <select
    onChange=${onText((text) => change({ [name]: text }))}>
    ${epochs.map((epoch) => html`<option key=${epoch} value=${epoch} selected=${epoch === value}>${epoch}</option>`)}
    </select></label>`;
  return html`<div class="stack"><div class="tools"><h3>Two epochs side by side</h3>
      ${choice("epoch", "Epoch", first)} ${choice("against", "against epoch", second)}</div>
    <div class="scroll" tabindex="0" role="region" aria-label="Two epochs of the layers"><table class="two-epochs">
      <caption class="visually-hidden">Each layer at epoch ${first}, then at epoch ${second}</caption>
      <thead><tr><th scope="col">Layer</th><th scope="col" class="number">Epoch</th>${measures.map(
        ([name, title]) => html`<th scope="col" class="number" key=${name}>${title}</th>`,
      )}</tr></thead>
      <tbody>${layers.map((layer) =>
        [first, second].map(
          (epoch, at) => html`<tr key=${`${layer} ${at}`} class=${at === 0 ? "first" : ""}>
            ${at === 0 && html`<th scope="rowgroup" rowspan="2">${layer}</th>`}
            <td class="number muted">${epoch}</td>${measures.map(
              ([name]) => html`<td class="number" key=${name}>
              ${plain(/** @type {any} */ (rows.get(`${layer} ${epoch}`))?.[name], 3)}</td>`,
            )}</tr>`,
        ),
      )}</tbody></table></div>
  </div>`;
}
