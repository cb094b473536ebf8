/** The verdict of a comparison as a sentence, as far as its tests go. */
import { counted, figure } from "../../text/format.js";
import { groupLabel } from "../../text/labels.js";
import { leadersOf } from "../../components/leaders.js";

const MOST_NAMED = 5;

/** @param {Api.Comparison} comparison */
export function verdictText(comparison) {
  const measured = comparison.groups.filter((group) => group.mean !== null);
  if (measured.length === 0) return "No experiment has given this figure yet.";
  if (measured.length === 1) return aloneText(measured[0], comparison);
  const pending = comparison.groups.reduce((sum, group) => sum + group.n_pending, 0);
  return topText(comparison) + (pending > 0 ? ` So far: ${counted(pending, "experiment")} to go.` : "");
}

/** @param {Api.Comparison} comparison */
function topText(comparison) {
  if (comparison.pairs.every((pair) => pair.verdict === "not tested")) {
    return (
      "Nothing can be tested: a difference needs two seeds or more in each group. " +
      "The order below is by mean, and may be chance."
    );
  }
  const leaders = leadersOf(comparison);
  const tests = `${counted(comparison.family.pairs, "test")}, Holm-corrected at ${comparison.family.alpha}`;
  if (leaders.length === 1)
    return `Best is ${groupLabel(leaders[0].factors)}, separated from every other group (${tests}).`;
  if (leaders.length === comparison.groups.length)
    return `No group can be told from the best by these seeds (${tests}).`;
  return `The first place is open between ${named(leaders)}: no test puts another group above them (${tests}).`;
}

/**
 * @param {Api.Group} group
 * @param {Api.Comparison} comparison
 */
function aloneText(group, comparison) {
  const mean = figure(group.mean, comparison.family.unit);
  const result = `Only ${groupLabel(group.factors)} has a result: ${mean}, n = ${group.n}.`;
  return `${result} There is nothing to compare it with.`;
}

/** @param {Api.Group[]} groups */
function named(groups) {
  const names = groups.slice(0, MOST_NAMED).map((group) => groupLabel(group.factors));
  if (groups.length > MOST_NAMED) return `${names.join("; ")} and ${groups.length - MOST_NAMED} more`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
