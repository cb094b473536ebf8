/** The name, tags and notes of an experiment or a study, which are edited in place. */
import { onText } from "../core/events.js";
import { html, useRef, useState } from "../core/html.js";
import { get, patch } from "../data/api.js";
import { refresh } from "../data/store.js";
import { tagsOf } from "../text/lists.js";
import { useMayChange } from "./access.js";
import { Field } from "./field.js";
import { Markdown } from "./markdown.js";
import { Tags } from "./tags.js";

/** @typedef {Pick<Api.ExperimentView, "id" | "name" | "tags" | "notes" | "edit_version">} Annotated */

/** @param {{one: Annotated, list: "/experiments" | "/studies"}} props */
export function Annotations({ one, list }) {
  const [isEdited, setEdited] = useState(false);
  const mayChange = useMayChange();
  const opener = useRef(/** @type {any} */ (null));
  const close = () => {
    setEdited(false);
    setTimeout(() => opener.current?.focus());
  };
  if (isEdited) return html`<${Form} one=${one} list=${list} onClose=${close} />`;
  return html`<section class="annotations" aria-label="Tags and notes">
    <div class="tools">
      ${one.tags.length === 0 && html`<span class="muted">No tags</span>`}
      <${Tags} tags=${one.tags} list=${list} />
      ${
        mayChange &&
        html`<button type="button" class="small" ref=${opener} onClick=${() => setEdited(true)}>
        ${one.notes ? "Edit name, tags and notes" : "Edit name and tags, write notes"}</button>`
      }
    </div>
    ${one.notes && html`<h2 class="visually-hidden">Notes</h2><${Markdown} text=${one.notes} />`}
  </section>`;
}

/** @param {{one: Annotated, list: string, onClose: () => void}} props */
function Form({ one, list, onClose }) {
  const path = `${list}/${one.id}`;
  const [name, setName] = useState(one.name ?? "");
  const [tags, setTags] = useState(one.tags.join(", "));
  const [notes, setNotes] = useState(one.notes ?? "");
  const [error, setError] = useState(/** @type {import("../data/api.js").ApiError | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const before = useRef(one); // what the reader began with; the page goes on to show newer states
  /** @param {Event} event */
  const save = async (event) => {
    event.preventDefault();
    setBusy(true);
    const changes = changesOf(before.current, {
      name: name.trim() || null,
      tags: tags === before.current.tags.join(", ") ? before.current.tags : tagsOf(tags), // a tag may have a comma
      notes: notes || null,
    });
    try {
      if (Object.keys(changes).length > 0) await patch(path, changes, before.current.edit_version);
      refresh(list);
      onClose();
    } catch (failure) {
      const problem = /** @type {import("../data/api.js").ApiError} */ (failure);
      if (problem.status === 412) before.current = { ...before.current, edit_version: await newestVersion(path) };
      setError(problem);
      setBusy(false);
    }
  };
  const errorsOf = (/** @type {string} */ field) =>
    (error?.errors ?? []).filter(({ pointer }) => pointer?.startsWith(`/${field}`));
  const isElsewhere = error && !["name", "tags", "notes"].some((field) => errorsOf(field).length > 0);
  return html`<form class="card stack annotations" aria-label="Name, tags and notes" onSubmit=${save}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && onClose()}>
    <${Text} label="Name" value=${name} onChange=${setName} errors=${errorsOf("name")} isFirst=${true} />
    <${Text} label="Tags" value=${tags} onChange=${setTags} errors=${errorsOf("tags")}
      hint="Separated by commas, such as baseline, to check" />
    <${Field} label="Notes" errors=${errorsOf("notes")} hint=${html`Markdown: <code>**bold**</code>,${" "}
      <code>- a list</code>, <code>[text](address)</code>, <code>\`code\`</code>`}>
      ${(/** @type {object} */ attributes) =>
        html`<textarea ...${attributes} rows="8" value=${notes} onInput=${onText(setNotes)}></textarea>`}
    <//>
    ${isElsewhere && html`<p class="wrong" role="alert">${error.status === 412 ? EDITED_MEANWHILE : error.message}</p>`}
    <div class="actions"><button type="submit" class="primary" disabled=${isBusy}>Save</button>
      <button type="button" onClick=${onClose}>Back</button></div>
  </form>`;
}

/** @param {string} path */
async function newestVersion(path) {
  const { data } = await get(path);
  refresh(path);
  return data.edit_version;
}

const EDITED_MEANWHILE =
  "Somebody has edited it since you began. Save again to write over what they changed, or go back to see it.";

/**
 * @param {{label: string, value: string, onChange: (text: string) => void, errors: {detail: string}[], hint?: string,
 *   isFirst?: boolean}} props
 */
function Text({ label, value, onChange, errors, hint, isFirst = false }) {
  return html`<${Field} label=${label} errors=${errors} hint=${hint}>
    ${(/** @type {object} */ attributes) =>
      html`<input ...${attributes} value=${value} autocomplete="off" onInput=${onText(onChange)}
        ref=${(/** @type {HTMLInputElement | null} */ input) => isFirst && input && focusOnce(input)} />`}
  <//>`;
}

/** @type {WeakSet<HTMLInputElement>} */
const focused = new WeakSet();

/** @param {HTMLInputElement} input */
function focusOnce(input) {
  if (!focused.has(input)) input.focus();
  focused.add(input);
}

/**
 * The fields that the reader has changed, as a merge patch.
 * @param {Annotated} before
 * @param {{name: string | null, tags: string[], notes: string | null}} after
 */
function changesOf(before, after) {
  return Object.fromEntries(
    Object.entries(after).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(/** @type {any} */ (before)[field]),
    ),
  );
}
