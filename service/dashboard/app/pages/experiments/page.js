/** The page of all experiments of all studies, with filters that the address keeps. */
import { onText } from "../../core/events.js";
import { html, useEffect, useState } from "../../core/html.js";
import { useQuery, useTitle } from "../../core/navigation.js";
import { choicesOf } from "../../core/spec.js";
import { useFeed } from "../../data/store.js";
import { ExperimentTable } from "../../components/experimenttable.js";
import { Empty, Loaded } from "../../components/notices.js";
import { Pager } from "../../components/pager.js";

const PER_PAGE = 50;
const BUSY_MS = 2000;
const IDLE_MS = 10_000;
const TYPING_MS = 300;

const CHOICES = {
  status: ["any status", ...choicesOf("status")],
  dataset: ["any data set", ...choicesOf("dataset")],
};
const SORTS = [
  ["", "newest first"],
  ["-validation_accuracy", "highest validation accuracy"],
  ["-test_accuracy", "highest test accuracy"],
  ["test_loss", "lowest test loss"],
  ["-seconds", "longest training"],
  ["id", "oldest first"],
];
const FILTERS = [
  "text",
  "status",
  "activation",
  "dataset",
  "tag",
  "study",
  "archived",
  "validation_accuracy_min",
  "test_accuracy_min",
  "epochs_min",
  "epochs_max",
  "batch_size_min",
  "batch_size_max",
];

export function Page() {
  useTitle("Experiments");
  const [query, change] = useQuery();
  const filters = new URLSearchParams({ limit: String(PER_PAGE) });
  for (const name of [...FILTERS, "sort", "cursor"]) if (query.get(name)) filters.set(name, query.get(name) ?? "");
  /** @param {Api.ExperimentView} one */
  const isActive = (one) => one.status === "queued" || one.status === "running";
  const feed = useFeed(`/experiments?${filters}`, (data) => (data?.items.some(isActive) ? BUSY_MS : IDLE_MS));
  const isFiltered = FILTERS.some((name) => query.get(name));
  return html`<div class="page-head"><div><h1>Experiments</h1><p>Every training run: one spec, one seed.</p></div></div>
    <${Filters} query=${query} change=${(/** @type {any} */ changes) => change({ ...changes, cursor: "" })} />
    <${Loaded} feed=${feed} what="the experiments">${(/** @type {Api.Page_ExperimentView_} */ data) => {
      if (data.items.length > 0)
        return html`<div class="card tight"><${ExperimentTable} items=${data.items} caption="Experiments" /></div>`;
      if (isFiltered || query.get("cursor"))
        return html`<p>No experiment fits. <a href="/experiments">Take the filters away.</a></p>`;
      return html`<${Empty} title="Nothing has been trained yet">
        <p>A <a href="/studies/new">new study</a> trains several at once and compares them.</p><//>`;
    }}<//>
    <${Pager} data=${feed.data} isFirst=${!query.get("cursor")}
      onChange=${(/** @type {string} */ cursor) => change({ cursor }, { push: true })} />`;
}

/** @param {{query: URLSearchParams, change: (changes: Record<string, string>) => void}} props */
function Filters({ query, change }) {
  return html`<div class="filters" role="search">
    <${Typed} name="text" label="Search by name" type="search" query=${query} change=${change} />
    <${Typed} name="activation" label="Activation, such as relu" query=${query} change=${change} />
    ${Object.entries(CHOICES).map(
      ([
        name,
        [any, ...values],
      ]) => html`<select key=${name} aria-label=${name} onChange=${onText((text) => change({ [name]: text }))}>
      <option value="">${any}</option>
        ${values.map((value) => html`<option value=${value} selected=${query.get(name) === value}>${value}</option>`)}
          </select>`,
    )}
    <${Typed} name="tag" label="Tag" query=${query} change=${change} />
    <${Typed} name="validation_accuracy_min" label="Validation accuracy at least" query=${query}
      change=${change} />
    <${Typed} name="test_accuracy_min" label="Test accuracy at least" query=${query} change=${change} />
    <select aria-label="Order" onChange=${onText((text) => change({ sort: text }))}>
      ${SORTS.map(
        ([value, text]) => html`<option value=${value} selected=${(query.get("sort") ?? "") === value}>${text}
        </option>`,
      )}</select>
    ${
      query.get("study") &&
      html`<span class="chip on">of <a href=${`/studies/${query.get("study")}`}>one study</a>
      <button type="button" class="small quiet" aria-label="Of all studies"
        onClick=${() => change({ study: "" })}>×</button></span>`
    }
  </div>`;
}

/**
 * A filter by text, sent when the typing pauses.
 * @param {{name: string, label: string, type?: string, query: URLSearchParams, change: (changes: Record<string,
 *   string>) => void}} props
 */
function Typed({ name, label, type = "text", query, change }) {
  const value = query.get(name) ?? "";
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const timer = setTimeout(() => change({ [name]: text.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<input type=${type} aria-label=${label} placeholder=${label} value=${text}
    onInput=${onText(setText)} />`;
}
