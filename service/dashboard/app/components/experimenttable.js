/** A table of experiments. */
import { html, useMemo, useRef } from "../core/html.js";
import { ago } from "../text/format.js";
import { specText } from "../text/spec.js";
import { USUAL_COLUMNS } from "./experimentcolumns.js";
import { useNow } from "./notices.js";
import { ActivationName } from "./swatch.js";
import { Tags } from "./tags.js";

/**
 * @typedef {object} Order
 * @property {string} sort one of the API's
 * @property {(sort: string) => void} onSort
 *
 * @typedef {object} Picking
 * @property {(id: string) => boolean} isPicked
 * @property {boolean} isWhole whether what the filter leaves is picked as a whole, so that no single row can be
 * @property {(index: number, isRange: boolean) => void} onPick
 * @property {any} all the checkbox of all rows
 */

/**
 * @param {{items: Api.ExperimentView[], caption: string, columns?: import("./experimentcolumns.js").Column[],
 *   order?: Order, picking?: Picking, isOld?: boolean}} props `isOld`: newer rows are on their way
 */
export function ExperimentTable({ items, caption, columns = USUAL_COLUMNS, order, picking, isOld = false }) {
  const now = useNow(10_000);
  const latest = useRef(picking);
  latest.current = picking;
  const kind = `cards ${picking ? "picked" : ""}`;
  return html`<div class="scroll"><table class=${kind} aria-busy=${isOld ? "true" : undefined}>
    <caption class="visually-hidden">${caption}</caption>
    <thead><tr>${picking && html`<th scope="col" class="pick">${picking.all}</th>`}<th scope="col">Experiment</th>
      ${columns.map((column) => html`<${Head} key=${column.name} column=${column} order=${order} />`)}</tr></thead>
    <tbody>${items.map(
      (one, index) =>
        html`<${Row} key=${one.id} one=${one} index=${index} now=${now} columns=${columns}
          picking=${latest} isPicked=${picking?.isPicked(one.id)} isWhole=${picking?.isWhole} />`,
    )}</tbody>
  </table></div>`;
}

/** @param {{column: import("./experimentcolumns.js").Column, order?: Order}} props */
function Head({ column: { title, isNumber, sort: first }, order }) {
  const kind = isNumber ? "number" : "";
  if (!first || !order) return html`<th scope="col" class=${kind}>${title}</th>`;
  const field = first.replace("-", "");
  const isSorted = order.sort.replace("-", "") === field;
  const isDown = order.sort.startsWith("-");
  const next = isSorted ? (isDown ? field : `-${field}`) : first;
  return html`<th scope="col" class=${kind} aria-sort=${isSorted ? (isDown ? "descending" : "ascending") : undefined}>
    <button type="button" class="sorter" onClick=${() => order.onSort(next)}>${title}
      <span class="arrow" aria-hidden="true">${isSorted ? (isDown ? "↓" : "↑") : "\u00a0"}</span></button></th>`;
}

/**
 * @typedef {object} RowProps
 * @property {Api.ExperimentView} one
 * @property {number} index
 * @property {number} now
 * @property {import("./experimentcolumns.js").Column[]} columns
 * @property {{current: Picking | undefined}} picking
 * @property {boolean | undefined} isPicked undefined in a table without checkboxes
 * @property {boolean | undefined} isWhole
 */

/**
 * A row, which is rendered again only if what it shows has changed: an update of a list changes few of its rows.
 * @param {RowProps} props
 */
function Row({ one, index, now, columns, picking, isPicked, isWhole }) {
  const shown = [one.id, one.revision, one.queue_position, one.waiting_reason, ago(one.created_at, now)];
  return useMemo(
    () => html`<tr class=${isPicked ? "on" : ""}>
    ${isPicked !== undefined && html`<td class="pick">${pickOf({ one, index, isPicked, isWhole, picking })}</td>`}
    <th scope="row"><a href=${`/experiments/${one.id}`}>
      ${one.name ?? html`<${ActivationName} label=${one.activation_label} />`}</a>
      ${one.archived_at && html` <span class="badge">archived</span>`}
      <div class="small-text muted">${one.name ? `${one.activation_label}, ` : ""}${specText(one.spec)}</div>
      <${Tags} tags=${one.tags} list="/experiments" /></th>
    ${columns.map(
      ({ name, title, long, isNumber, cell }) =>
        html`<td key=${name} data-label=${long ?? title} class=${isNumber ? "number" : ""}>${cell(one, now)}</td>`,
    )}
  </tr>`,
    [...shown, index, columns, isPicked, isWhole],
  );
}

/** @param {Pick<RowProps, "one" | "index" | "isPicked" | "isWhole" | "picking">} props */
function pickOf({ one, index, isPicked, isWhole, picking }) {
  const label = `Select ${one.name ?? one.activation_label}, seed ${one.spec.seed}`;
  return html`<label class="target"><input type="checkbox" aria-label=${label} checked=${isPicked} disabled=${isWhole}
    onClick=${(/** @type {MouseEvent} */ event) => picking.current?.onPick(index, event.shiftKey)} /></label>`;
}
