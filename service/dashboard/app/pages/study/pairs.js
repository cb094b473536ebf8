/** The pairs of a family: what the test of each says. Only what was decided has a colour. */
import { onIndex } from "../../core/events.js";
import { html, useMemo, useState } from "../../core/html.js";
import { counted, difference, marginText, percent, pValue, plain, range } from "../../text/format.js";
import { groupKey, groupLabel } from "../../text/labels.js";
import { KINDS, SIGNS } from "./verdictmark.js";

const MOST_IN_MATRIX = 16;
/** @type {Record<string, Api.Pair["verdict"]>} */
const TURNED = { better: "worse", worse: "better" };

/** @typedef {(row: Api.Group, column: Api.Group) => Api.Pair | undefined} Lookup the pair as seen from the row */

/** @param {{comparison: Api.Comparison}} props */
export function Pairs({ comparison }) {
  const lookup = useMemo(() => byGroups(comparison.pairs), [comparison]);
  const groups = comparison.groups;
  const [chosen, setChosen] = useState(/** @type {[Api.Group, Api.Group] | null} */ (null));
  const isSmall = groups.length <= MOST_IN_MATRIX;
  const { family } = comparison;
  const { versus } = family;
  const one = versus && groups.find((group) => groupKey(group.factors) === groupKey(versus));
  const disagreements =
    family.disagreements > 0 &&
    `; ${counted(family.disagreements, "pair")} with a difference, though the stricter interval holds 0`;
  return html`<section class="card stack" aria-labelledby="pairs-title">
    <div class="card-head"><h2 id="pairs-title">${versus ? `Against ${groupLabel(versus)}` : "Every pair"}</h2>
      <span class="muted small-text">
        ${counted(family.pairs, "pair")}${disagreements}</span></div>
    ${
      one
        ? html`<${Against} one=${one} groups=${groups} lookup=${lookup} family=${family} />`
        : isSmall
          ? html`<${Matrix} groups=${groups} lookup=${lookup} unit=${family.unit} chosen=${chosen}
          onChoose=${setChosen} />
          <div class="pair-detail" aria-live="polite">${
            chosen
              ? html`<${Detail} pair=${lookup(...chosen)} family=${family} />`
              : html`<p class="muted">Choose a field for its test. ${legend(comparison)}</p>`
          }</div>`
          : html`<${AgainstOne} groups=${groups} lookup=${lookup} family=${family} />`
    }
    <p class="small-text muted">${family.decision}</p>
  </section>`;
}

/** @param {Api.Comparison} comparison */
function legend({ family, pairs }) {
  const margin = family.margin === null ? "" : `, = equivalent (less than ${marginText(family)} apart)`;
  const diverged = pairs.some((pair) => pair.verdict === "undecided (diverged)") ? ", d runs diverged" : "";
  return `▲ the row is better than the column, ▼ worse${margin}, · undecided${diverged}.`;
}

/**
 * (row, column) -> the pair as seen from the row.
 * @param {Api.Pair[]} pairs
 * @returns {Lookup}
 */
function byGroups(pairs) {
  const byKeys = new Map(pairs.map((pair) => [`${groupKey(pair.a)}|${groupKey(pair.b)}`, pair]));
  /**
   * @param {Api.Group} a
   * @param {Api.Group} b
   */
  const of = (a, b) => byKeys.get(`${groupKey(a.factors)}|${groupKey(b.factors)}`);
  return (row, column) => of(row, column) ?? turned(of(column, row));
}

/**
 * @param {Api.Pair | undefined} pair
 * @returns {Api.Pair | undefined}
 */
function turned(pair) {
  // prettier-ignore
  return pair && {
    ...pair, a: pair.b, b: pair.a, verdict: TURNED[pair.verdict] ?? pair.verdict,
    difference: pair.difference === null ? null : -pair.difference,
    interval: pair.interval && [-pair.interval[1], -pair.interval[0]],
    hedges_g: pair.hedges_g === null ? null : -pair.hedges_g,
    probability_of_improvement: pair.probability_of_improvement === null ? null : 1 - pair.probability_of_improvement,
  };
}

/**
 * @param {{groups: Api.Group[], lookup: Lookup, unit: string, chosen: [Api.Group, Api.Group] | null, onChoose: (field:
 *   [Api.Group, Api.Group]) => void}} props
 */
function Matrix({ groups, lookup, unit, chosen, onChoose }) {
  return html`<div class="scroll"><table class="matrix">
    <caption class="visually-hidden">Row against column</caption>
    <thead><tr><td></td>${groups.map((group) => html`<th scope="col"><span>${groupLabel(group.factors)}</span></th>`)}
      </tr></thead>
    <tbody>${groups.map(
      (row) =>
        html`<tr><th scope="row">${groupLabel(row.factors)}</th>${groups.map((column) => {
          const pair = row === column ? null : lookup(row, column);
          if (!pair) return html`<td class="self"></td>`;
          const isChosen = chosen && chosen[0].factors === row.factors && chosen[1].factors === column.factors;
          const names = `${groupLabel(row.factors)} against ${groupLabel(column.factors)}`;
          const label = `${names}: ${pair.verdict}, ${difference(pair.difference, unit)}`;
          return html`<td class=${KINDS[pair.verdict] ?? ""}>
            <button type="button" class="quiet" aria-label=${label} title=${label}
        aria-pressed=${Boolean(isChosen)} onClick=${() => onChoose([row, column])}><span aria-hidden="true">
          ${SIGNS[pair.verdict]}</span>
        ${difference(pair.difference, unit)}</button></td>`;
        })}</tr>`,
    )}</tbody>
  </table></div>`;
}

/** @param {{pair: Api.Pair | undefined, family: Api.Family}} props */
function Detail({ pair, family }) {
  if (!pair) return null;
  const facts = [
    ["Verdict", pair.verdict + remark(pair)],
    ["Difference", difference(pair.difference, family.unit)],
    [
      `${plain(100 * family.interval_confidence, 4)} % interval (all pairs together 95 %)`,
      pair.interval ? intervalText(pair.interval, family.unit) : "none",
    ],
    ["Test", pair.test ?? "none: too few seeds, or runs diverged"],
    [`p, ${family.p_correction}-corrected`, pValue(pair.p_adjusted)],
    ["p, alone", pValue(pair.p)],
    ...(pair.p_equivalence === null ? [] : [["p of equivalence", pValue(pair.p_equivalence)]]),
    ["A run of the first is better than one of the second", percent(pair.probability_of_improvement)],
    ["Smallest p of an exact rank test", pValue(pair.p_attainable)],
    ["Hedges’ g", plain(pair.hedges_g, 3)],
    ...(pair.wilcoxon_p === null ? [] : [["Wilcoxon p (does not decide)", pValue(pair.wilcoxon_p)]]),
  ];
  return html`<h3>${groupLabel(pair.a)} against ${groupLabel(pair.b)}</h3>
    <dl>${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    ${
      pair.interval_disagrees &&
      html`<p
      class="small-text">These groups differ by their corrected p, though the stricter interval contains 0.</p>`
    }`;
}

/**
 * What a verdict leaves out: a difference that does not matter, or the seeds that are missing.
 * @param {Api.Pair} pair
 */
function remark({ verdict, within_margin: isWithin, seeds_to_decide: seeds }) {
  if (isWithin && verdict !== "equivalent") return ", but by less than the margin";
  if (!seeds?.more) return "";
  return `; about ${seeds.more} more seeds would probably show ${
    seeds.finding === "difference" ? "a difference" : "that they are equivalent"
  } (an estimate from ${seeds.n} seeds, with 80 % power)`;
}

/**
 * @param {[number, number]} ends
 * @param {string} unit
 */
const intervalText = ([low, high], unit) =>
  unit === "fraction" ? `${difference(low, unit)} to ${difference(high, unit)}` : range([low, high], unit);

/**
 * A choice of one group to set against all others, in place of a matrix that would not fit.
 * @param {{groups: Api.Group[], lookup: Lookup, family: Api.Family}} props
 */
function AgainstOne({ groups, lookup, family }) {
  const [index, setIndex] = useState(0);
  const one = groups[Math.min(index, groups.length - 1)];
  return html`<label class="inline">Against <select onChange=${onIndex(setIndex)}>
      ${groups.map((group, at) => html`<option selected=${at === index}>${groupLabel(group.factors)}</option>`)}
        </select></label>
    <${Against} one=${one} groups=${groups} lookup=${lookup} family=${family} />`;
}

/**
 * One group against all others.
 * @param {{one: Api.Group, groups: Api.Group[], lookup: Lookup, family: Api.Family}} props
 */
function Against({ one, groups, lookup, family }) {
  return html`<div class="scroll tall" tabindex="0" role="region" aria-label="Pairs with one group">
    <table class="cards">
      <thead><tr><th scope="col">Group</th><th scope="col">Verdict</th><th scope="col" class="number">Difference</th>
        <th scope="col" class="number">Interval (all pairs together 95 %)</th>
          <th scope="col" class="number">p, ${family.p_correction}</th></tr></thead>
      <tbody>${groups
        .filter((group) => group !== one)
        .map((group) => {
          const pair = lookup(group, one);
          return (
            pair &&
            html`<tr key=${groupKey(group.factors)}><th scope="row">${groupLabel(group.factors)}</th>
          <td data-label="Verdict" class=${KINDS[pair.verdict] ?? "muted"}>${SIGNS[pair.verdict]} ${pair.verdict}</td>
          <td data-label="Difference" class="number">${difference(pair.difference, family.unit)}</td>
          <td data-label="Interval" class="number">${pair.interval ? intervalText(pair.interval, family.unit) : "–"}
            </td>
          <td data-label="p" class="number">${pValue(pair.p_adjusted)}</td></tr>`
          );
        })}</tbody></table></div>`;
}
