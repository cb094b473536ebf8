/** The page of all experiments of all studies. What it shows is in the address, so that a link shows the same. */
import { onText } from "../../core/events.js";
import { html, useMemo } from "../../core/html.js";
import { useQuery, useTitle } from "../../core/navigation.js";
import { useFeed, useKept } from "../../data/store.js";
import { count, counted } from "../../text/format.js";
import { Copy } from "../../components/asrequest.js";
import { Chips, without } from "../../components/chips.js";
import { columnOf, SORTS, USUAL_COLUMNS } from "../../components/experimentcolumns.js";
import { ExperimentTable } from "../../components/experimenttable.js";
import { Empty, Loaded } from "../../components/notices.js";
import { Pager } from "../../components/pager.js";
import { ColumnPicker } from "./columnpicker.js";
import { FilterForm } from "./filterform.js";
import { chipsOf, FILTERS, paramsOf } from "./filters.js";
import { QueryBox } from "./querybox.js";
import { useSelection } from "./selection.js";
import { SelectionBar } from "./selectionbar.js";

const PER_PAGE = 50;
const BUSY_MS = 2000;
const IDLE_MS = 10_000;
const NEWEST = "-id";
const USUAL = USUAL_COLUMNS.map(({ name }) => name);

export function Page() {
  useTitle("Experiments");
  const [query, change] = useQuery();
  const sort = query.get("sort") ?? NEWEST;
  const names = query.get("columns")?.split(",").filter(Boolean) ?? USUAL;
  const columns = useMemo(() => columnsOf(names), [names.join()]);
  const matching = paramsOf(query);
  const shown = new URLSearchParams(matching);
  for (const name of ["sort", "cursor"]) if (query.get(name)) shown.set(name, query.get(name) ?? "");
  const feed = useKept(useFeed(`/experiments?limit=${PER_PAGE}&${shown}`, intervalOf));
  const total = useFeed(`/experiments/count?${matching}`, IDLE_MS, feed.data);
  const selection = useSelection(String(matching));
  /** @param {Record<string, string | string[]>} changes */
  const narrow = (changes) => change({ ...changes, cursor: "" });
  const onColumns = (/** @type {string[]} */ chosen) =>
    change({ columns: chosen.join() === USUAL.join() ? "" : chosen.join() || "none" });
  const clear = () => narrow(Object.fromEntries([...FILTERS, "archived"].map((name) => [name, ""])));
  const chips = chipsOf(query);
  return html`<div class="page-head"><div><h1>Experiments</h1><p>Every training run: one spec, one seed.</p></div>
      <${Copy} text=${() => location.href} label="Copy link to this list" /></div>
    <${FilterForm} query=${query} change=${narrow} />
    <${QueryBox} value=${query.get("query") ?? ""} error=${feed.error}
      onChange=${(/** @type {string} */ text) => narrow({ query: text })} />
    <${Chips} chips=${chips} onClear=${clear}
      onRemove=${(/** @type {any} */ chip) => narrow({ [chip.name]: without(query, chip) })} />
    <div class="list-tools">
      <p role="status">${shownText(feed.data, total.data, sort)}</p>
      <${OrderChoice} sort=${sort} onSort=${(/** @type {string} */ next) => narrow({ sort: next })} />
      <${ColumnPicker} items=${feed.data?.items ?? []} names=${names} onChange=${onColumns} />
    </div>
    <${Loaded} feed=${feed} what="the experiments" place="card list-place">${(
      /** @type {Api.Page_ExperimentView_} */ { items },
    ) => {
      if (items.length > 0)
        return html`<${Listed} items=${items} isOld=${feed.isOld} columns=${columns} selection=${selection}
          matching=${total.data?.count} query=${query} sort=${sort}
          onSort=${(/** @type {string} */ next) => narrow({ sort: next })} />`;
      return html`<div class="list-place"><${None} isNarrowed=${chips.length > 0 || [...query.keys()].length > 0}
        onClear=${() => change(Object.fromEntries([...query.keys()].map((name) => [name, ""])))} /></div>`;
    }}<//>
    <${Pager} data=${feed.data} isFirst=${!query.get("cursor")}
      words=${sort === NEWEST ? undefined : ["First page", "Next page"]}
      onChange=${(/** @type {string} */ cursor) => change({ cursor }, { push: true })} />`;
}

/** @param {string[]} names */
const columnsOf = (names) => names.filter((name) => name !== "none").map(columnOf);

/** @param {Api.Page_ExperimentView_ | undefined} data */
function intervalOf(data) {
  const isActive = data?.items.some(({ status }) => status === "queued" || status === "running");
  return isActive ? BUSY_MS : IDLE_MS;
}

/**
 * The number of rows on the page and of all that match.
 * @param {Api.Page_ExperimentView_ | undefined} data
 * @param {{count: number} | undefined} total
 * @param {string} sort
 */
function shownText(data, total, sort) {
  if (!data || !total) return "\u00a0";
  const rows = data.items.length;
  const order = SORTS.find((one) => one.sort.replace("-", "") === sort.replace("-", ""));
  const lacking = order && order.sort !== NEWEST ? `; only those with ${order.title.toLowerCase()} have a place` : "";
  if (rows >= total.count) return `${counted(total.count, "experiment")}`;
  return `${count(rows)} of ${counted(total.count, "experiment")} on this page${lacking}`;
}

/** @param {{sort: string, onSort: (sort: string) => void}} props */
function OrderChoice({ sort, onSort }) {
  const isDown = sort.startsWith("-");
  const field = sort.replace("-", "");
  return html`<label class="inline">Order by <select onChange=${onText(onSort)}>${SORTS.map(
    ({ sort: first, title }) => {
      const isChosen = first.replace("-", "") === field;
      const value = isChosen ? sort : first;
      const isOpposite = isChosen && isDown !== first.startsWith("-");
      return html`<option value=${value} selected=${isChosen}>${title.toLowerCase()}${isOpposite ? ", reversed" : ""}
      </option>`;
    },
  )}</select></label>`;
}

/**
 * @param {{items: Api.ExperimentView[], isOld: boolean,
 *   columns: import("../../components/experimentcolumns.js").Column[], selection: import("./selection.js").Selection,
 *   matching: number | undefined, query: URLSearchParams, sort: string, onSort: (sort: string) => void}} props
 */
function Listed({ items, isOld, columns, selection, matching, query, sort, onSort }) {
  const ids = items.map(({ id }) => id);
  const isFull = selection.isWhole || ids.every((id) => selection.ids.has(id));
  const all = html`<label class="target"><input type="checkbox" aria-label="Select this page" checked=${isFull}
    disabled=${selection.isWhole} onClick=${() => selection.set(ids, !isFull)} /></label>`;
  const picking = {
    isPicked: (/** @type {string} */ id) => selection.isWhole || selection.ids.has(id),
    isWhole: selection.isWhole,
    onPick: (/** @type {number} */ index, /** @type {boolean} */ isRange) => selection.toggle(index, isRange, ids),
    all,
  };
  return html`<div class="card tight">
    <${SelectionBar} selection=${selection} listed=${ids} matching=${matching} query=${query} all=${all} />
    <${ExperimentTable} items=${items} caption="Experiments" columns=${columns} order=${{ sort, onSort }}
      picking=${picking} isOld=${isOld} /></div>`;
}

/** @param {{isNarrowed: boolean, onClear: () => void}} props */
function None({ isNarrowed, onClear }) {
  if (isNarrowed)
    return html`<${Empty} title="No experiment fits">
      <p><button type="button" onClick=${onClear}>Take the filters away</button></p><//>`;
  return html`<${Empty} title="Nothing has been trained yet">
    <p>A <a href="/studies/new">new study</a> trains several at once and compares them.</p><//>`;
}
