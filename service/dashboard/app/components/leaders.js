/** The groups that lead a comparison, as far as its tests separate them. */
import { html } from "../core/html.js";
import { figure, range } from "../text/format.js";
import { groupLabel } from "../text/labels.js";
import { GroupName } from "./swatch.js";

/**
 * The groups whose rank range includes the first rank, best mean first, without those that have no mean.
 * @param {Api.Comparison} comparison
 */
export const leadersOf = (comparison) =>
  comparison.groups.filter((group) => group.mean !== null && group.rank[0] === 1);

/**
 * The best cell in a table: one group only where it is separated from all others.
 * @param {{comparison: Api.Comparison, most?: number}} props
 */
export function Leaders({ comparison, most = 3 }) {
  const { unit } = comparison.family;
  const leaders = leadersOf(comparison);
  if (leaders.length === 0) return html`<span class="muted">no result yet</span>`;
  const [first, ...others] = leaders;
  const interval = first.interval ? ` (${range(first.interval, unit)})` : "";
  const figures = `${figure(first.mean, unit)}${interval}, n = ${first.n}`;
  if (others.length === 0) {
    return html`<div><${GroupName} factors=${first.factors} /><div class="small-text muted">${figures}</div></div>`;
  }
  const names = leaders
    .slice(0, most)
    .map((group) => groupLabel(group.factors))
    .join(Object.keys(first.factors).length > 1 ? "; " : ", ");
  return html`<div>${names}${leaders.length > most && ` and ${leaders.length - most} more`}
    <div class="small-text muted">not separable; highest mean ${figures}</div></div>`;
}
