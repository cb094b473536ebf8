/** The filters of the list of experiments: their names in the address, and what they say. */
import { clock, percent, plain } from "../../text/format.js";
import { choicesOf } from "../../core/spec.js";
import { factorName } from "../../text/labels.js";

/** Filters that take several values, of which any may match. */
const SEVERAL = ["text", "status", "activation", "dataset", "tag", "study", "created_by"];

/** Filters by a range, each with `_min` and `_max`; of shares, people read and type per cent. */
const RANGES = {
  test_accuracy: { isShare: true },
  validation_accuracy: { isShare: true },
  best_validation_accuracy: { isShare: true, title: "validation accuracy, best epoch" },
  validation_loss: {},
  best_validation_loss: { title: "validation loss, best epoch" },
  epochs: {},
  batch_size: {},
  dropout: {},
  learning_rate: {},
};

/** @type {{name: string, title: string, isShare: boolean}[]} */
export const FIGURES = Object.entries(RANGES).map(([name, range]) => ({
  name,
  title: "title" in range ? range.title : factorName(name),
  isShare: "isShare" in range,
}));

const DATES = ["created_min", "created_max"];
const BOUNDS = [...FIGURES.flatMap(({ name }) => [`${name}_min`, `${name}_max`]), ...DATES];

/** The names of all filters but `archived`, which is always set. */
export const FILTERS = [...SEVERAL, ...BOUNDS, "mine", "query"];
const IN_OWN_FIELD = ["text", "query"];

export const CHOICES = { status: choicesOf("status"), dataset: choicesOf("dataset") };

/**
 * The filters of a query, as the list takes them.
 * @param {URLSearchParams} query
 */
export function paramsOf(query) {
  const params = new URLSearchParams();
  for (const name of FILTERS) for (const value of query.getAll(name)) params.append(name, value);
  params.set("archived", query.get("archived") || "false");
  return params;
}

/**
 * The filters of a query, as requests that change many experiments take them.
 * @param {URLSearchParams} query
 * @returns {Record<string, string | string[]>}
 */
export function bodyOf(query) {
  const params = paramsOf(query);
  return Object.fromEntries(
    [...new Set(params.keys())].map((name) => [
      name,
      SEVERAL.includes(name) ? params.getAll(name) : (params.get(name) ?? ""),
    ]),
  );
}

/**
 * The filters of a query in words, but for those that have a field which shows them.
 * @param {URLSearchParams} query
 */
export function chipsOf(query) {
  return FILTERS.filter((name) => !IN_OWN_FIELD.includes(name)).flatMap((name) =>
    query.getAll(name).map((value) => ({ name, value, text: wordsOf(name, value) })),
  );
}

/**
 * @param {string} name
 * @param {string} value
 */
function wordsOf(name, value) {
  if (name === "mine") return "submitted with my key";
  if (name === "study") return "of one study";
  if (name === "created_by") return `submitted by ${value}`;
  if (DATES.includes(name)) return `created ${name.endsWith("_min") ? "since" : "until"} ${dateText(value)}`;
  const figure = FIGURES.find((one) => name.startsWith(one.name) && name.length === one.name.length + 4);
  if (!figure) return `${factorName(name)} ${value}`;
  const bound = figure.isShare ? percent(Number(value)) : plain(Number(value));
  return `${figure.title} ${name.endsWith("_min") ? "at least" : "at most"} ${bound}`;
}

/** @param {string} value */
const dateText = (value) => (Number.isNaN(Date.parse(value)) ? value : clock(value));
