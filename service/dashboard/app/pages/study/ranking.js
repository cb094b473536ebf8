/** The groups, best mean first, each with its rank range, its interval and its seeds on one scale. */
import { html } from "../../core/html.js";
import { figure, plain, range } from "../../text/format.js";
import { groupKey, groupLabel } from "../../text/labels.js";
import { activationStyle, orderedStyle, useColours } from "../../charts/palette.js";
import { scaleOf, Strip } from "../../charts/strip.js";
import { GroupName } from "../../components/swatch.js";
import { Verdict } from "./verdictmark.js";

const MANY = 20;

/** @param {{comparison: Api.Comparison}} props a comparison with `seeds=true` */
export function Ranking({ comparison }) {
  const { unit, title, versus } = comparison.family;
  const verdicts = new Map(comparison.pairs.map((pair) => [groupKey(pair.a), pair.verdict]));
  const { dark } = useColours();
  const scale = scaleOf(comparison.groups.flatMap((group) => [...(group.interval ?? []), group.min, group.max]));
  const hasImages = comparison.groups.some((group) => group.test_image_interval);
  const isLong = comparison.groups.length > MANY;
  return html`<div class=${`scroll ${isLong ? "tall headed" : ""}`} tabindex="0" role="region" aria-label="All groups">
    <table class=${`cards ranking ${Object.keys(comparison.groups[0]?.factors ?? {}).length > 1 ? "crowded" : ""}`}>
    <caption class="visually-hidden">Groups by ${title}, best mean first</caption>
    <thead><tr>
      ${!versus && html`<th scope="col">Rank</th>`}<th scope="col">Group</th><th scope="col" class="number">n</th>
        <th scope="col" class="number">Mean</th>
      <th scope="col" class="number">95 % over seeds</th>
        ${versus && html`<th scope="col">Against ${groupLabel(versus)}</th>`}
        ${hasImages && html`<th scope="col" class="number roomy">95 % over test images</th>`}
      <th scope="col" class="number roomy">sd</th>
      <th scope="col" class="strip-head"><span>${figure(scale.low, unit)}</span><span>each seed, mean, interval</span>
        <span>${figure(scale.high, unit)}</span></th>
    </tr></thead>
    <tbody>${comparison.groups.map((group, index) => {
      const color = (
        group.factors.activation === undefined
          ? orderedStyle(index, dark)
          : activationStyle(group.factors.activation, dark)
      ).color;
      return html`<tr key=${groupKey(group.factors)}>
        ${!versus && html`<td data-label="Rank" class="rank">${group.mean === null ? "–" : rankText(group.rank)}</td>`}
        <th scope="row"><${GroupName} factors=${group.factors} /><${Same} group=${group} /></th>
        <td data-label="n" class="number">${group.n}<${Lost} group=${group} /></td>
        <td data-label="Mean" class="number">${figure(group.mean, unit)}</td>
        <td data-label="95 % over seeds" class="number">
          ${group.interval ? range(group.interval, unit) : "needs 2 seeds"}</td>
        ${
          versus &&
          html`<td data-label=${`Against ${groupLabel(versus)}`}>
          <${Verdict} verdict=${verdicts.get(groupKey(group.factors))} /></td>`
        }
        ${
          hasImages &&
          html`<td data-label="95 % over test images" class="number muted roomy">
          ${range(group.test_image_interval, unit)}</td>`
        }
        <td data-label="sd" class="number roomy">
          ${unit === "fraction" && group.sd !== null ? `${plain(100 * group.sd, 2)}\u202fpp` : plain(group.sd, 2)}</td>
        <td class="strip-cell"><${Strip} scale=${scale} mean=${group.mean} interval=${group.interval}
          seeds=${group.seeds} color=${color} unit=${unit} /></td>
      </tr>`;
    })}</tbody>
  </table></div>
  <p class="small-text muted">
    ${title}. ${versus ? "" : "Ranks are ranges: what the tests leave open. "}The interval over seeds says where the
    mean of other trainings on these test images would lie.${
      hasImages &&
      html`<span
      class="roomy"> The one over test images says where the accuracy of these trained networks would lie on other
        images of the same kind.</span>`
    }</p>
  ${comparison.seeds_needed && html`<${Needed} ...${comparison.seeds_needed} />`}`;
}

/**
 * The number of seeds that would find the difference of a pair.
 * @param {Api.SeedsNeeded} props
 */
function Needed({ a, b, n, seeds }) {
  if (!seeds) return null;
  return html`<p class="small-text muted">To find a difference of ${groupLabel(a)} and ${groupLabel(b)} with 80 % power
    it would take about ${seeds} seeds each (an estimate from ${n}).</p>`;
}

/** @param {[number, number]} ends */
const rankText = ([best, worst]) => (best === worst ? String(best) : `${best}–${worst}`);

/**
 * The other names of a group, whose runs are equal to its own bit for bit.
 * @param {{group: Api.Group}} props
 */
function Same({ group }) {
  const others = group.names.filter((factors) => groupKey(factors) !== groupKey(group.factors));
  if (others.length === 0) return null;
  return html`<div class="small-text muted">the same bit for bit: ${others.map(groupLabel).join("; ")}</div>`;
}

/**
 * The runs of a group that n does not count.
 * @param {{group: Api.Group}} props
 */
function Lost({ group }) {
  /** @type {["n_diverged" | "n_failed" | "n_pending" | "n_duplicate", string][]} */
  const counts = [
    ["n_diverged", "diverged"],
    ["n_failed", "failed"],
    ["n_pending", "to come"],
    ["n_duplicate", "repeated"],
  ];
  const words = counts.filter(([name]) => group[name] > 0).map(([name, word]) => `${group[name]} ${word}`);
  return words.length ? html`<span class="small-text muted"> and ${words.join(", ")}</span>` : null;
}
