/** The form that adds filters to the address. */
import { onCheck, onText } from "../../core/events.js";
import { html, useEffect, useState } from "../../core/html.js";
import { factorName } from "../../text/labels.js";
import { ArchivedChoice } from "../../components/chips.js";
import { KNOWN_ACTIVATIONS } from "../../charts/palette.js";
import { CHOICES, FIGURES } from "./filters.js";

const TYPING_MS = 300;
const DAY_MS = 86_400_000;

/** @type {[number, string][]} */
const AGES = [
  [1, "the last day"],
  [7, "the last 7 days"],
  [30, "the last 30 days"],
  [365, "the last year"],
];

/** @typedef {(changes: Record<string, string | string[]>) => void} Change */

/** @param {{query: URLSearchParams, change: Change}} props */
export function FilterForm({ query, change }) {
  /** @param {string} name */
  const adder = (name) => (/** @type {string} */ value) =>
    change({ [name]: [...new Set([...query.getAll(name), value])] });
  const setArchived = (/** @type {string} */ archived) => change({ archived });
  return html`<div class="filters" role="search">
    <${Search} query=${query} change=${change} />
    <${Entry} label="Activation, such as relu" list=${KNOWN_ACTIVATIONS} onAdd=${adder("activation")} />
    <${Choice} label="Status" values=${CHOICES.status} onAdd=${adder("status")} />
    <${Created} change=${change} />
    <${Entry} label="Tag" onAdd=${adder("tag")} />
    <${ArchivedChoice} value=${query.get("archived") ?? ""} onChange=${setArchived} />
    <details class="more-filters"><summary class="button">More filters</summary>
      <div class="tools">
        <${Choice} label="Data set" values=${CHOICES.dataset} onAdd=${adder("dataset")} />
        <${Bound} change=${change} />
        <${Dates} change=${change} />
        <label class="check"><input type="checkbox" checked=${query.get("mine") === "true"}
          onChange=${onCheck((isOn) => change({ mine: isOn ? "true" : "" }))} />Submitted with my key</label>
      </div>
    </details>
  </div>`;
}

/**
 * A part of the name, sent when the typing pauses.
 * @param {{query: URLSearchParams, change: Change}} props
 */
function Search({ query, change }) {
  const value = query.get("text") ?? "";
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value) return undefined;
    const timer = setTimeout(() => change({ text: text.trim() }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return html`<input type="search" aria-label="Search by name" placeholder="Search by name" value=${text}
    onInput=${onText(setText)} />`;
}

/**
 * A field whose text becomes a filter with Enter, or when one of its list is chosen.
 * @param {{label: string, list?: string[], onAdd: (text: string) => void}} props
 */
function Entry({ label, list = [], onAdd }) {
  const [text, setText] = useState("");
  /** @param {string} value */
  const add = (value) => {
    if (value.trim()) onAdd(value.trim());
    setText("");
  };
  const id = list.length > 0 ? `choices of ${label}`.replaceAll(/\W+/g, "-") : undefined;
  /** @param {any} event of a choice in the list, which has no key and no kind of typing */
  const type = (event) => {
    const isChosen = event.inputType === "insertReplacementText" || event.inputType === undefined;
    if (isChosen && list.includes(event.currentTarget.value)) add(event.currentTarget.value);
    else setText(event.currentTarget.value);
  };
  return html`<form class="entry" onSubmit=${(/** @type {Event} */ event) => {
    event.preventDefault();
    add(text);
  }}>
    <input aria-label=${label} placeholder=${label.split(",")[0]} list=${id} value=${text}
      autocomplete="off" enterkeyhint="done"
      onInput=${type} />
    ${id && html`<datalist id=${id}>${list.map((one) => html`<option value=${one}></option>`)}</datalist>`}
    <button type="submit" class="small" disabled=${!text.trim()}
      aria-label=${`Add ${label.split(",")[0].toLowerCase()} filter`}>Add</button>
  </form>`;
}

/**
 * A choice that becomes a filter; it shows its name again afterwards.
 * @param {{label: string, values: string[], onAdd: (text: string) => void}} props
 */
function Choice({ label, values, onAdd }) {
  return html`<select aria-label=${label} value="" onChange=${(
    /** @type {{currentTarget: HTMLSelectElement}} */ { currentTarget: select },
  ) => {
    onAdd(select.value);
    select.value = "";
  }}>
    <option value="">${label}</option>${values.map((value) => html`<option value=${value}>${value}</option>`)}
  </select>`;
}

/**
 * The time of creation by its age. The address gets the date, so that a link shows the same later.
 * @param {{change: Change}} props
 */
function Created({ change }) {
  return html`<select aria-label="Created" value="" onChange=${(
    /** @type {{currentTarget: HTMLSelectElement}} */ { currentTarget: select },
  ) => {
    change({ created_min: since(Number(select.value)), created_max: "" });
    select.value = "";
  }}>
    <option value="">Created</option>${AGES.map(([days, text]) => html`<option value=${days}>in ${text}</option>`)}
  </select>`;
}

/** The minute so many days ago. @param {number} days */
const since = (days) => `${new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 16)}:00Z`;

/** @param {{change: Change}} props */
function Dates({ change }) {
  /** @param {string} name @param {string} title @param {number} more days from the start of the chosen one */
  const one = (name, title, more) => html`<label class="inline">created ${title}
    <input type="date" onChange=${onText((text) => {
      const day = text ? new Date(`${text}T00:00`) : null;
      if (day) day.setDate(day.getDate() + more);
      change({ [name]: day ? day.toISOString() : "" });
    })} /></label>`;
  return html`${one("created_min", "since", 0)} ${one("created_max", "to the end of", 1)}`;
}

/**
 * A bound of a figure or of a field of the spec.
 * @param {{change: Change}} props
 */
function Bound({ change }) {
  const [figure, setFigure] = useState(FIGURES[0].name);
  const [bound, setBound] = useState("min");
  const [text, setText] = useState("");
  const isShare = FIGURES.some(({ name, isShare: share }) => name === figure && share);
  const value = Number(text.replace(",", ".").replace("%", ""));
  const isUsable = text.trim() !== "" && Number.isFinite(value) && value >= 0 && !(isShare && value > 100);
  /** @param {Event} event */
  const add = (event) => {
    event.preventDefault();
    if (!isUsable) return;
    change({ [`${figure}_${bound}`]: String(isShare ? Number((value / 100).toPrecision(12)) : value) });
    setText("");
  };
  return html`<form class="entry" onSubmit=${add}>
    <select aria-label="Figure" onChange=${onText(setFigure)}>${FIGURES.map(
      ({ name, title }) => html`<option value=${name} selected=${name === figure}>${title}</option>`,
    )}</select>
    <select aria-label="Bound" onChange=${onText(setBound)}><option value="min">at least</option>
      <option value="max">at most</option></select>
    <input class="short" aria-label=${`${factorName(figure)}${isShare ? ", per cent" : ""}`} inputmode="decimal"
      placeholder=${isShare ? "per cent" : "number"} value=${text} onInput=${onText(setText)} />
    <button type="submit" class="small" disabled=${!isUsable}>Add</button>
  </form>`;
}
