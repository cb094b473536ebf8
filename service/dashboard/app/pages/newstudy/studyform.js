/** The form of a new study: its values, the body of POST /studies that they make, and the errors of each field. */
import { choicesOf, usualOf } from "../../core/spec.js";
import { valueText } from "../../text/labels.js";
import { listOf, seedsOf } from "../../text/lists.js";

/**
 * @typedef {[path: string, label: string, hint: string, example: string]} ListRow
 * @typedef {[path: string, label: string, choices: (string | boolean)[]]} ChoiceRow
 * @typedef {object} Form
 * @property {string} preset "" for none
 * @property {string} name
 * @property {string} question
 * @property {string[]} activations of the catalogue, by name
 * @property {FormulaChoice[]} formulas
 * @property {string} reference one of the activations, or "" to compare all pairs
 * @property {string} dataset
 * @property {string} seeds as typed
 * @property {Record<string, string>} lists by spec path, as typed
 * @property {Record<string, any>} choices by spec path
 * @property {{isOn: boolean, rates: string, seeds: string}} tuning
 */

const usual = (/** @type {string} */ path) => String(usualOf(path));

/** Fields that take one value or several: several become a factor. */
/** @type {ListRow[]} */
export const LISTS = [
  ["epochs", "Epochs", `the article: ${usual("epochs")}`, usual("epochs")],
  ["batch_size", "Batch sizes", `the article: ${usual("batch_size")}`, usual("batch_size")],
  [
    "dropout",
    "Dropout",
    `the article: ${usual("dropout.conv")} after pooling, ${usual("dropout.dense")} before the output`,
    `${usual("dropout.conv")} and ${usual("dropout.dense")}`,
  ],
];
/** @type {ListRow[]} */
export const MORE_LISTS = [
  ["optimizer.learning_rate", "Learning rates", "the optimizer’s own default", usual("optimizer.learning_rate")],
  [
    "model.dense_layers",
    "Hidden dense layers",
    `the article: ${usual("model.dense_layers")}`,
    usual("model.dense_layers"),
  ],
  ["train_samples", "Training images", "all of them", "all"],
];
/** Fields with a fixed choice: the first is the default, left out of the body. */
export const CHOICES = [
  choiceRow("optimizer.name", "Optimizer"),
  choiceRow("schedule", "Learning rate schedule"),
  choiceRow("model.batch_norm", "Batch normalisation", [true, false]),
  choiceRow("model.init", "Initialisation"),
  choiceRow("model.pool", "Pooling"),
  choiceRow("precision", "Precision"),
];

/** @type {Record<string, string>} */
const DATASET_TEXTS = {
  mnist_5k: "MNIST, 4,000 images, no download",
  digits: "Digits, 1,297 images, no download",
  mnist: "MNIST, 60,000 images (the article’s)",
  fashion_mnist: "Fashion-MNIST, 60,000 images",
};
const DESCRIBED = Object.keys(DATASET_TEXTS);

/** The data sets of the service, [name, text]: those that have a text here in its order, then the others by name. */
export const DATASETS = [...choicesOf("dataset")]
  .sort((a, b) => placeOf(a) - placeOf(b))
  .map((name) => [name, DATASET_TEXTS[name] ?? name]);

/** @param {string} name */
function placeOf(name) {
  return DESCRIBED.includes(name) ? DESCRIBED.indexOf(name) : DESCRIBED.length;
}

/**
 * @param {string} path
 * @param {string} label
 * @param {(string | boolean)[]} values
 * @returns {ChoiceRow}
 */
function choiceRow(path, label, values = choicesOf(path)) {
  const first = usualOf(path);
  return [path, label, [first, ...values.filter((value) => value !== first)]];
}

/**
 * A form that compares ReLU with swish over five seeds, in a minute or two; the address may name others.
 * @param {URLSearchParams} [query]
 * @returns {Form}
 */
function blank(query = new URLSearchParams()) {
  const activations = query.getAll("activation");
  const formulas = query.getAll("formula").flatMap((text) => readFormula(text) ?? []);
  return {
    preset: "",
    name: "",
    question: "",
    activations: activations.length || formulas.length ? activations : ["relu", "swish"],
    formulas,
    reference: "",
    dataset: "mnist_5k",
    seeds: "0-4",
    lists: { epochs: "3" },
    choices: {},
    tuning: { isOn: false, rates: "0.0003, 0.001, 0.003, 0.01", seeds: "1000-1002" },
  };
}

/**
 * A formula in an address: {"formula", "parameters"} as JSON; anything else is no formula.
 * @param {string} text
 * @returns {FormulaChoice | null}
 */
function readFormula(text) {
  try {
    const { formula, parameters = {} } = JSON.parse(text);
    return typeof formula === "string" ? { formula, parameters } : null;
  } catch {
    return null;
  }
}

/**
 * The form that an address asks for.
 * @param {URLSearchParams} query
 */
export function formOf(query) {
  const preset = query.get("preset");
  return preset ? { ...blank(query), ...startedFrom(preset) } : blank(query);
}

/**
 * The fields that change when another start is chosen; a preset has values for those left empty.
 * @param {string} preset
 */
export function startedFrom(preset) {
  const { dataset, seeds, lists } = blank();
  return preset
    ? { preset, dataset: "", seeds: "", lists: {}, choices: {} }
    : { preset, dataset, seeds, lists, choices: {} };
}

/**
 * The body of POST /studies. Values that are no numbers are sent as they are; the server says what is wrong with them.
 * @param {Form} form
 */
export function bodyOf(form) {
  const description = {
    ...(form.name.trim() && { name: form.name.trim() }),
    ...(form.question.trim() && { question: form.question.trim() }),
  };
  const start = form.preset ? { preset: form.preset } : {};
  const seeds = form.preset && !form.seeds.trim() ? {} : { seeds: seedsOf(form.seeds) };
  const base = form.dataset ? { dataset: form.dataset } : {};
  /** @type {Record<string, any[]>} */
  const factors = form.preset ? {} : { activation: [...form.activations, ...form.formulas.map(activationOf)] };
  for (const [path, text] of Object.entries(form.lists)) {
    const values = listOf(text);
    if (values.length > 1) factors[path] = values;
    else if (values.length === 1) put(base, path, values[0]);
  }
  for (const [path, value] of Object.entries(form.choices)) put(base, path, value);
  const reference = referencesOf(form).includes(form.reference) ? { reference: form.reference } : {};
  return { ...start, ...description, base, factors, ...reference, ...seeds, ...tuningOf(form.tuning) };
}

/**
 * The functions that the others can be compared with: those of the catalogue, where nothing else varies.
 * @param {Form} form
 */
export function referencesOf({ preset, activations, lists }) {
  const isOnlyFactor = Object.values(lists).every((text) => listOf(text).length < 2);
  return !preset && isOnlyFactor ? activations : [];
}

/** @param {Form["tuning"]} of */
const tuningOf = ({ isOn, rates, seeds }) => (isOn ? { tuning: { rates: listOf(rates), seeds: seedsOf(seeds) } } : {});

/** @param {FormulaChoice} of */
const activationOf = ({ formula, parameters }) =>
  Object.keys(parameters).length ? { formula, parameters } : { formula };

/**
 * @param {Record<string, any>} base
 * @param {string} path
 * @param {any} value
 */
function put(base, path, value) {
  const names = path.split(".");
  const last = /** @type {string} */ (names.pop());
  let inner = base;
  for (const name of names) inner = inner[name] ??= {};
  inner[last] = value;
}

/**
 * True where an error is about the field at a spec path, in base or as a factor; `seeds`, `tuning/rates` and the like
 * stand alone.
 * @param {Api.ProblemItem} problem
 * @param {string} path
 */
export function isAbout(problem, path) {
  const pointer = problem.pointer ?? "";
  /** @param {string} where */
  const inside = (where) => pointer === where || pointer.startsWith(`${where}/`);
  return inside(`/${path}`) || inside(`/base/${path.replaceAll(".", "/")}`) || inside(`/factors/${path}`);
}

/**
 * The name of a study of this form, until it is given one.
 * @param {Form} form
 */
export function suggestedName(form) {
  return [...form.activations, ...form.formulas.map(({ formula }) => valueText({ formula }))].join(", ");
}
