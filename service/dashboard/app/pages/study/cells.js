/** The cells of a study as pictures of several factors show them. */
import { count, counted, figure, range } from "../../text/format.js";
import { groupKey, groupLabel, valueText } from "../../text/labels.js";

/** @typedef {{path: string, levels: string[]}} Factor which varies, with its levels in the order of the study */

/**
 * The groups of a comparison by each of their names: cells that are equal bit for bit are one group.
 * @param {Api.Group[]} groups
 * @returns {Api.Group[]}
 */
export const cellsIn = (groups) => groups.flatMap((group) => group.names.map((factors) => ({ ...group, factors })));

/**
 * The factors that vary. A rate that was tuned goes with its group.
 * @param {Api.Group[]} groups
 * @param {Api.StudyView} study
 * @returns {Factor[]}
 */
export function factorsOf(groups, study) {
  const paths = [...new Set(groups.flatMap(({ factors }) => Object.keys(factors)))];
  return paths
    .filter((path) => !(study.tuning && path === "optimizer.learning_rate"))
    .map((path) => ({ path, levels: levelsOf(groups, path) }))
    .filter(({ levels }) => levels.length > 1);
}

/**
 * @param {Api.Group[]} groups
 * @param {string} path
 */
function levelsOf(groups, path) {
  const levels = new Map(groups.map(({ factors }) => [valueText(factors[path]), factors[path]]));
  return [...levels]
    .sort(([a, x], [b, y]) => (typeof x === "number" && typeof y === "number" ? x - y : a < b ? -1 : 1))
    .map(([text]) => text);
}

/**
 * True where the tests leave open that a cell is the best.
 * @param {Api.Group} group
 */
export const isTop = (group) => group.mean !== null && group.rank[0] === 1;

/** @param {Api.Group} group */
export const keyOf = (group) => groupKey(group.factors);

/**
 * A cell in words, with its interval.
 * @param {Api.Group} group
 * @param {string} unit
 */
export function cellText(group, unit) {
  const interval = group.interval ? `95 % ${range(group.interval, unit)}` : "an interval needs 2 seeds";
  const rank = group.mean === null ? "" : `; rank ${[...new Set(group.rank)].map(count).join("–")}`;
  const mean = `${groupLabel(group.factors)}: ${figure(group.mean, unit)}`;
  return `${mean}, ${interval}, n = ${counted(group.n, "seed")}${rank}`;
}
