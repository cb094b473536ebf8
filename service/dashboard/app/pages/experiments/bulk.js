/** The dialogs of what can be done with many experiments. Each says how many it will change before it does. */
import { onText } from "../../core/events.js";
import { html, useEffect, useRef, useState } from "../../core/html.js";
import { newKey, post } from "../../data/api.js";
import { refresh } from "../../data/store.js";
import { count as formatted, counted } from "../../text/format.js";
import { tagsOf } from "../../text/lists.js";
import { Confirm } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { toast } from "../../components/toast.js";

const TYPING_MS = 300;
const BULK_MS = 600_000; // the API changes a hundred in a transaction

/**
 * @typedef {object} Act
 * @property {string} path
 * @property {object} [body]
 * @property {string} verb
 * @property {string} past
 * @property {string} say what it does
 * @property {string} passed why some are passed over
 * @property {boolean} [hides] whether the list shows them no more
 */

/** @type {Record<string, Act>} */
export const ACTS = {
  archive: {
    path: "archive",
    body: { archived: true },
    verb: "Archive",
    past: "Archived",
    say: "Lists leave them out until they are restored. Comparisons and exports still count them.",
    passed: "have not ended, or are archived already",
    hides: true,
  },
  restore: {
    path: "archive",
    body: { archived: false },
    verb: "Restore",
    past: "Restored",
    say: "Lists show them again.",
    passed: "are not archived",
    hides: true,
  },
  cancel: {
    path: "cancel",
    verb: "Cancel",
    past: "Cancelled",
    say: "They end without a result. Their epochs so far are kept.",
    passed: "have ended, or are being cancelled already",
  },
  retry: {
    path: "retry",
    verb: "Retry",
    past: "Queued again",
    say: "Each is queued again as a new experiment with the same spec and seed.",
    passed: "have not ended",
  },
  delete: {
    path: "delete",
    verb: "Delete",
    past: "Deleted",
    say: "They go for good, with their epochs, results and attempts. To keep them out of lists only, archive them.",
    passed: "have not ended, or another study counts them",
    hides: true,
  },
};

/**
 * @typedef {object} Target
 * @property {object} selection as the API takes it: ids or filters
 * @property {number} total how many that selects
 */

/**
 * The number of experiments that a request would change; undefined until it is known.
 * @param {string | null} path null asks nothing
 * @param {object} body
 */
function useDryRun(path, body) {
  const [answer, setAnswer] = useState(/** @type {{count?: number, error?: any}} */ ({}));
  const text = JSON.stringify(body);
  useEffect(() => {
    setAnswer({});
    if (path === null) return undefined;
    const abort = new AbortController();
    const ask = () =>
      post(`/experiments/${path}?dry_run=true`, JSON.parse(text), { signal: abort.signal }).then(
        setAnswer,
        (error) => abort.signal.aborted || setAnswer({ error }),
      );
    const timer = setTimeout(ask, TYPING_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [path, text]);
  return answer;
}

/**
 * What will happen, in a line of a fixed height.
 * @param {{count?: number, error?: any, total: number, passed: string}} props
 */
function Forecast({ count, error, total, passed }) {
  const text = forecast(count, error, total, passed);
  return html`<p class=${`forecast ${error ? "wrong" : ""}`} role="status">${text}</p>`;
}

/**
 * @param {number | undefined} count
 * @param {any} error
 * @param {number} total
 * @param {string} passed
 */
function forecast(count, error, total, passed) {
  if (error) return error.message;
  if (count === undefined) return "Counting …";
  if (count >= total) return total === 1 ? "The selected one." : `All ${formatted(total)} that are selected.`;
  return `${formatted(count)} of ${formatted(total)} that are selected; the others ${passed}.`;
}

/** @param {{name: string, target: Target, undo?: object | null, onDone: () => void, onClose: () => void}} props */
export function ActDialog({ name, target, undo = null, onDone, onClose }) {
  const { path, body = {}, verb, past, say, passed, hides } = ACTS[name];
  const { count, error } = useDryRun(path, { ...target.selection, ...body });
  // To undo is to do the opposite with the same selection, which may hold some that were so before.
  const before = useDryRun(undo && path, undo ?? {});
  const key = useRef(newKey());
  const send = () =>
    post(
      `/experiments/${path}`,
      { ...target.selection, ...body },
      { timeout: BULK_MS, ...(name === "retry" && { once: key.current }) },
    );
  /** @param {{count: number}} answer */
  const done = (answer) => {
    const others = before.count ? ` Undo also changes ${formatted(before.count)} that were so before.` : "";
    const text = `${past} ${counted(answer.count, "experiment")}.${others}`;
    toast(text, undo ? () => undoWith(undo, path) : undefined);
    refresh("/");
    if (hides) onDone();
  };
  const what = count === undefined ? "…" : counted(count, "experiment");
  return html`<${Confirm} title=${`${verb} experiments?`} verb=${`${verb} ${what}`} isDisabled=${!count}
    act=${send} done=${done} onClose=${onClose}>
    <p>${say}</p>
    <${Forecast} count=${count} error=${error} total=${target.total} passed=${passed} /><//>`;
}

/**
 * @param {object} body
 * @param {string} path
 */
async function undoWith(body, path) {
  await post(`/experiments/${path}`, body, { timeout: BULK_MS });
  refresh("/");
}

/** @param {{target: Target, onClose: () => void}} props */
export function TagDialog({ target, onClose }) {
  const [added, setAdded] = useState("");
  const [removed, setRemoved] = useState("");
  const body = { ...target.selection, add: tagsOf(added), remove: tagsOf(removed) };
  const isEmpty = body.add.length + body.remove.length === 0;
  const { count, error } = useDryRun(isEmpty ? null : "tag", body);
  const done = (/** @type {{count: number}} */ answer) => {
    toast(`Changed the tags of ${counted(answer.count, "experiment")}.`);
    refresh("/experiments");
  };
  return html`<${Confirm} title=${`Tag ${counted(target.total, "experiment")}`} isDisabled=${!count}
    verb=${isEmpty ? "Tag them" : `Change ${count === undefined ? "…" : counted(count, "experiment")}`}
    act=${() => post("/experiments/tag", body, { timeout: BULK_MS })} done=${done} onClose=${onClose}>
    <${Field} label="Tags to add" hint="Separated by commas, such as best, to check">${(
      /** @type {object} */ attributes,
    ) => html`<input ...${attributes} value=${added} autocomplete="off" onInput=${onText(setAdded)} />`}<//>
    <${Field} label="Tags to remove">${(/** @type {object} */ attributes) =>
      html`<input ...${attributes} value=${removed} autocomplete="off" onInput=${onText(setRemoved)} />`}<//>
    ${
      isEmpty
        ? html`<p class="forecast muted">Nothing changes yet: give tags.</p>`
        : html`<${Forecast} count=${count} error=${error} total=${target.total} passed="have these tags already" />`
    }<//>`;
}
