/** The columns that a table of experiments may have: its figures, its dates and every field of its spec. */
import { html } from "../core/html.js";
import { at } from "../core/spec.js";
import { ago, clock, count, duration, NONE, percent, plain } from "../text/format.js";
import { factorName, valueText } from "../text/labels.js";
import { StatusBadge } from "./statusbadge.js";
import { Tags } from "./tags.js";

/**
 * @typedef {object} Column
 * @property {string} name in the address: a field of the view, or the path of a field of the spec after "spec."
 * @property {string} title
 * @property {string} [long] the title where a row is a card
 * @property {boolean} [isNumber]
 * @property {string} [sort] the order that its header asks for first, one of the API's
 * @property {(one: Api.ExperimentView, now: number) => any} cell
 */

/** @typedef {{title: string, long?: string, sort?: string, isNumber?: boolean, cell: Column["cell"]}} Described */

/** @param {keyof Api.ExperimentView} name */
const share = (name) => (/** @type {Api.ExperimentView} */ one) => percent(/** @type {number | null} */ (one[name]));
/** @param {keyof Api.ExperimentView} name */
const number = (name) => (/** @type {Api.ExperimentView} */ one) => plain(/** @type {number | null} */ (one[name]));
/** @param {keyof Api.ExperimentView} name */
const time = (name) => (/** @type {Api.ExperimentView} */ one) =>
  one[name] ? clock(/** @type {string} */ (one[name])) : NONE;

/** @type {Record<string, Described>} */
const OF_RUN = {
  seed: { title: "Seed", isNumber: true, cell: (one) => one.spec.seed },
  status: { title: "Status", cell: (one) => html`<${StatusBadge} one=${one} />` },
  epochs: { title: "Epochs", isNumber: true, cell: (one) => `${one.epochs_done} / ${one.spec.epochs}` },
  validation_accuracy: {
    title: "Validation",
    long: "Validation accuracy",
    sort: "-validation_accuracy",
    isNumber: true,
    cell: share("validation_accuracy"),
  },
  test_accuracy: { title: "Test accuracy", sort: "-test_accuracy", isNumber: true, cell: share("test_accuracy") },
  seconds: { title: "Training", sort: "-seconds", isNumber: true, cell: (one) => duration(one.seconds) },
  created: { title: "Created", sort: "-id", cell: (one, now) => ago(one.created_at, now) },
  validation_loss: {
    title: "Validation loss",
    sort: "validation_loss",
    isNumber: true,
    cell: number("validation_loss"),
  },
  test_loss: { title: "Test loss", sort: "test_loss", isNumber: true, cell: number("test_loss") },
  best_epoch: { title: "Best epoch", isNumber: true, cell: (one) => one.best_epoch ?? NONE },
  best_validation_accuracy: {
    title: "Validation, best epoch",
    sort: "-best_validation_accuracy",
    isNumber: true,
    cell: share("best_validation_accuracy"),
  },
  best_test_accuracy: {
    title: "Test, best epoch",
    sort: "-best_test_accuracy",
    isNumber: true,
    cell: share("best_test_accuracy"),
  },
  best_validation_loss: {
    title: "Validation loss, best epoch",
    sort: "best_validation_loss",
    isNumber: true,
    cell: number("best_validation_loss"),
  },
  best_test_loss: {
    title: "Test loss, best epoch",
    sort: "best_test_loss",
    isNumber: true,
    cell: number("best_test_loss"),
  },
  early_loss: { title: "Early loss", isNumber: true, cell: number("early_loss") },
  images_per_second: {
    title: "Images per second",
    isNumber: true,
    cell: (one) => (one.images_per_second === null ? NONE : count(Math.round(one.images_per_second))),
  },
  attempt: { title: "Attempts", isNumber: true, cell: (one) => one.attempt },
  priority: { title: "Priority", isNumber: true, cell: (one) => one.priority },
  started: { title: "Started", cell: time("started_at") },
  finished: { title: "Ended", cell: time("finished_at") },
  created_by: { title: "Submitted by", cell: (one) => one.created_by },
  study: {
    title: "Study",
    cell: (one) => (one.study_id ? html`<a href=${`/studies/${one.study_id}`}>its study</a>` : NONE),
  },
  tags: { title: "Tags", cell: (one) => html`<${Tags} tags=${one.tags} list="/experiments" />` },
};

const USUAL = ["seed", "status", "epochs", "validation_accuracy", "test_accuracy", "seconds", "created"];
export const USUAL_COLUMNS = USUAL.map(columnOf);

/** Figures and dates that a table can show. */
export const RUN_COLUMNS = Object.keys(OF_RUN).map(columnOf);

/** The orders of the API that no header has. */
export const SORTS = RUN_COLUMNS.flatMap(({ sort, title, long }) => (sort ? [{ sort, title: long ?? title }] : []));

/**
 * The column of a name; of a name that the table does not know, the field of the spec.
 * @param {string} name
 * @returns {Column}
 */
export function columnOf(name) {
  if (OF_RUN[name]) return { name, ...OF_RUN[name] };
  const path = name.replace(/^spec\./, "");
  return {
    name,
    title: capital(factorName(path)),
    isNumber: false,
    cell: (one) => valueText(path === "activation" ? one.activation_label : at(one.spec, path)),
  };
}

/**
 * The columns of all fields of the specs of some experiments.
 * @param {Api.ExperimentView[]} items
 */
export function specColumns(items) {
  const paths = new Set(items.flatMap(({ spec }) => Object.entries(spec).flatMap(pathsOf)));
  return [...paths].filter((path) => !OF_RUN[path]).map((path) => columnOf(`spec.${path}`));
}

/** @param {[string, any]} entry */
function pathsOf([field, value]) {
  const isGroup = ["model", "dropout", "optimizer"].includes(field) && value !== null;
  return isGroup ? Object.keys(value).map((inner) => `${field}.${inner}`) : [field];
}

/** @param {string} text */
const capital = (text) => text[0].toUpperCase() + text.slice(1);
