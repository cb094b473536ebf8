/** The chosen runs: their states, what tells them apart, and how they are drawn. */
import { useEffect } from "../../core/html.js";
import { refresh, useFeed } from "../../data/store.js";
import { groupKey, groupLabel, valueText } from "../../text/labels.js";
import { groupStyles } from "../../charts/palette.js";

/**
 * @typedef {{one: Api.ExperimentView, label: string, style: LineStyle}} Run with a label that no other run has
 * @typedef {import("../../data/store.js").Snapshot} Snapshot
 * @typedef {{ids: string[], runs: Run[], query: URLSearchParams,
 *   change: (changes: Record<string, string | string[]>) => void}} Shown what each part of the page is given
 */

const PAUSE_MS = 2000;
const PAUSE_PER_RUN_MS = 500; // so that ten runs that learn stay far below the requests that a key may send
const MOST_IN_LABEL = 3;

/** Fields that change no figure of a run that ends, or change it by chance alone. */
const NO_FACTORS = ["seed", "diagnostics", "max_seconds"];

/** @param {{status: Api.Status}} of */
const isActive = ({ status }) => status === "queued" || status === "running";

/** @param {Api.ExperimentView} one */
export const isFinished = (one) => one.status === "succeeded";

/**
 * A feed for each id. Runs that learn are asked for together and at intervals, however often they change.
 * @param {string[]} ids always the same in one component
 * @returns {Snapshot[]}
 */
export function useExperiments(ids) {
  const feeds = ids.map((id) => useFeed(pathOf(id)));
  const active = feeds.map(({ data }) => data).filter((one) => one && isActive(one));
  const learning = active.map(({ id }) => id).join();
  useEffect(() => {
    if (!learning) return undefined;
    const renew = () => learning.split(",").forEach((id) => refresh(pathOf(id)));
    const timer = setInterval(renew, PAUSE_MS + PAUSE_PER_RUN_MS * active.length);
    return () => clearInterval(timer);
  }, [learning]);
  return feeds;
}

/** @param {string} id */
export const pathOf = (id) => `/experiments/${id}`;

/**
 * The results of the runs that have one, by id.
 * @param {string[]} ids always the same in one component
 * @param {Run[]} runs
 * @param {string} part of an experiment, below its address
 * @returns {Map<string, any>}
 */
export function useParts(ids, runs, part) {
  const finished = new Set(runs.filter(({ one }) => isFinished(one)).map(({ one }) => one.id));
  const feeds = ids.map((id) => useFeed(finished.has(id) ? `${pathOf(id)}/${part}` : null));
  return new Map(ids.flatMap((id, at) => (feeds[at].data === undefined ? [] : [[id, feeds[at].data]])));
}

/**
 * The values of a spec by path, in words; of an object, each of its own. `activation` is the label.
 * @param {Api.ExperimentView} one
 * @returns {Map<string, string>}
 */
export function valuesOf({ spec, activation_label: activation }) {
  const rows = Object.entries(spec).flatMap(([name, value]) => {
    if (name === "activation") return [[name, activation]];
    if (!isObject(value)) return [[name, valueText(value)]];
    return Object.entries(value).map(([inner, part]) => [`${name}.${inner}`, valueText(part)]);
  });
  return new Map(/** @type {[string, string][]} */ (rows));
}

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * All paths of these specs, in their order, and those whose values differ.
 * @param {Map<string, string>[]} specs
 */
export function pathsOf(specs) {
  const all = [...new Set(specs.flatMap((values) => [...values.keys()]))];
  return { all, differing: all.filter((path) => new Set(specs.map((values) => values.get(path))).size > 1) };
}

/**
 * Name each run by what differs, and draw it as its activation.
 * @param {Api.ExperimentView[]} ones
 * @param {boolean} dark whether the ground is
 * @returns {Run[]}
 */
export function runsOf(ones, dark) {
  const specs = ones.map(valuesOf);
  const { differing } = pathsOf(specs);
  const told = [...differing.filter((path) => path !== "activation").slice(0, MOST_IN_LABEL)];
  if (differing.includes("seed") && !told.includes("seed")) told.push("seed");
  const names = ones.map(
    (one, at) =>
      one.name ??
      groupLabel({
        activation: one.activation_label,
        ...Object.fromEntries(told.map((path) => [path, specs[at].get(path)])),
      }),
  );
  const factors = ones.map((one) => ({ activation: one.activation_label, run: one.id }));
  const styles = groupStyles(factors, dark);
  return ones.map((one, at) => ({
    one,
    label: names.filter((name) => name === names[at]).length > 1 ? `${names[at]} (${one.id.slice(-4)})` : names[at],
    style: /** @type {LineStyle} */ (styles.get(groupKey(factors[at]))),
  }));
}

/**
 * The fields by which a comparison groups the runs: those that differ, without the seed.
 * @param {Api.ExperimentView[]} ones
 */
export function factorsOf(ones) {
  const names = [...new Set(ones.flatMap(({ spec }) => Object.keys(spec)))].filter(
    (name) => !NO_FACTORS.includes(name),
  );
  return names.filter((name) => new Set(ones.map((one) => JSON.stringify(levelOf(one, name)))).size > 1);
}

/**
 * The value of a field as comparisons have it: an activation is its label, one dropout for both places that number.
 * @param {Api.ExperimentView} one
 * @param {string} name
 */
function levelOf({ spec, activation_label: activation }, name) {
  if (name === "activation") return activation;
  const value = spec[name];
  return name === "dropout" && value?.conv === value?.dense ? value.conv : (value ?? null);
}

/**
 * The same text for a run and for the group of a comparison that it is in.
 * @param {Api.ExperimentView} one
 * @param {string[]} factors
 */
export const cellOf = (one, factors) => keyOf(factors.map((name) => [name, levelOf(one, name)]));

/** @param {Factors} factors of a group, in which lists and objects are JSON texts */
export const cellOfGroup = (factors) =>
  keyOf(Object.entries(factors).map(([name, value]) => [name, name === "activation" ? value : decoded(value)]));

/** @param {[string, any][]} levels */
const keyOf = (levels) => JSON.stringify([...levels].sort(([a], [b]) => (a < b ? -1 : 1)));

/** @param {any} value */
function decoded(value) {
  if (typeof value !== "string" || !/^[[{]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
