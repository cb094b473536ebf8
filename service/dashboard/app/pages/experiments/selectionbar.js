/** The bar over the table: how much is selected, and what can be done with it. */
import { html, useState } from "../../core/html.js";
import { count } from "../../text/format.js";
import { useMayChange } from "../../components/access.js";
import { ActDialog, ACTS, TagDialog } from "./bulk.js";
import { bodyOf } from "./filters.js";
import { MOST_IDS } from "./selection.js";

const MOST_COMPARED = 10;
const COMPARED = `2 to ${MOST_COMPARED}`;

/**
 * @param {{selection: import("./selection.js").Selection, listed: string[], matching: number | undefined,
 *   query: URLSearchParams, all: any}} props `listed`: the ids on this page; `all`: the checkbox of them
 */
export function SelectionBar({ selection, listed, matching, query, all }) {
  const [open, setOpen] = useState("");
  const mayChange = useMayChange();
  const total = selection.isWhole ? (matching ?? 0) : selection.ids.size;
  const hidden = selection.isWhole ? 0 : [...selection.ids].filter((id) => !listed.includes(id)).length;
  const isTooMany = !selection.isWhole && total > MOST_IDS;
  const archived = query.get("archived") ?? "";
  const names = ["archive", "restore", "cancel", "retry", "delete"].filter(
    (name) => (name !== "restore" || archived) && (name !== "archive" || archived !== "true"),
  );
  const target = {
    selection: selection.isWhole ? { filters: bodyOf(query) } : { ids: [...selection.ids] },
    total,
  };
  const close = () => setOpen("");
  return html`<div class="selection-bar" role="group" aria-label="What is selected">
    <div class="selection-text">
      <span class="narrow-only">${all}</span>
      <span role="status">${statusOf(selection, total, hidden, isTooMany)}</span>
      ${
        !selection.isWhole &&
        html`<button type="button" class="small" disabled=${!matching} onClick=${selection.selectWhole}>
        Select all${matching === undefined ? "" : ` ${count(matching)}`}</button>`
      }
      ${total > 0 && html`<button type="button" class="small quiet" onClick=${selection.clear}>Clear</button>`}
    </div>
    <div class="selection-actions" role="group" aria-label="Actions" tabindex=${total === 0 ? "0" : undefined}>
      <${Compare} selection=${selection} />
      ${
        mayChange &&
        html`<button type="button" disabled=${total === 0 || isTooMany} onClick=${() => setOpen("tag")}>Tag</button>
        ${names.map(
          (name) => html`<button type="button" key=${name} disabled=${total === 0 || isTooMany}
            onClick=${() => setOpen(name)}>${ACTS[name].verb}</button>`,
        )}`
      }
    </div>
    ${open === "tag" && html`<${TagDialog} target=${target} onClose=${close} />`}
    ${
      open in ACTS &&
      html`<${ActDialog} key=${open} name=${open} target=${target} undo=${undoOf(open, target.selection)}
        onDone=${selection.clear} onClose=${close} />`
    }
  </div>`;
}

/**
 * @param {import("./selection.js").Selection} selection
 * @param {number} total
 * @param {number} hidden selected ones that are not on this page
 * @param {boolean} isTooMany
 */
function statusOf(selection, total, hidden, isTooMany) {
  if (isTooMany) return `${count(total)} selected; by hand at most ${count(MOST_IDS)}. Narrow the filters, select all.`;
  if (selection.isWhole) return `All ${count(total)}; comparing takes ${COMPARED}`;
  if (total === 0) return `Tick ${COMPARED} to compare, or any to change`;
  const elsewhere = hidden ? `, ${count(hidden)} not on this page` : "";
  const reason = total === 1 ? "; comparing takes one more" : `; comparing takes ${COMPARED}`;
  return `${count(total)} selected${elsewhere}${total === 1 || total > MOST_COMPARED ? reason : ""}`;
}

/**
 * A link to the page that compares what is selected; where it cannot, a button that says why.
 * @param {{selection: import("./selection.js").Selection}} props
 */
function Compare({ selection }) {
  const ids = [...selection.ids];
  if (!selection.isWhole && ids.length >= 2 && ids.length <= MOST_COMPARED)
    return html`<a class="button primary" href=${`/compare?${ids.map((id) => `id=${id}`).join("&")}`}>Compare</a>`;
  return html`<button type="button" disabled title=${`Select 2 to ${MOST_COMPARED} to compare`}>Compare</button>`;
}

/**
 * The request that undoes an archiving; null for what cannot be undone.
 * @param {string} name
 * @param {any} selection
 */
function undoOf(name, selection) {
  if (name !== "archive" && name !== "restore") return null;
  const isArchived = name === "archive";
  const filters = selection.filters && { ...selection.filters, archived: String(isArchived) };
  return { ...(filters ? { filters } : selection), archived: !isArchived };
}
