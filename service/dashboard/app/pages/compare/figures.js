/** The figures of the runs side by side. The best is marked only where a test says so. */
import { onText } from "../../core/events.js";
import { html } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { figure, range } from "../../text/format.js";
import { Swatch } from "../../components/swatch.js";
import { RunHeads } from "./heads.js";
import { cellOf, cellOfGroup, factorsOf, isFinished } from "./runs.js";

const USUAL = "test_accuracy";

/** @type {[keyof Api.ExperimentView, string, string][]} field, which is a metric too, title, unit */
const FIGURES = [
  ["test_accuracy", "Test accuracy, last epoch", "fraction"],
  ["best_test_accuracy", "Test accuracy, best-validation epoch", "fraction"],
  ["test_loss", "Test loss, last epoch", "nats"],
  ["validation_accuracy", "Validation accuracy, last epoch", "fraction"],
  ["best_validation_accuracy", "Validation accuracy, best-validation epoch", "fraction"],
  ["validation_loss", "Validation loss, last epoch", "nats"],
  ["seconds", "Training time", "s"],
  ["images_per_second", "Images per second", ""],
];

/** @typedef {import("./runs.js").Run} Run */

/** @param {import("./runs.js").Shown} props */
export function Figures({ runs, query, change }) {
  const asked = query.get("figure");
  const metric = FIGURES.some(([name]) => name === asked) ? String(asked) : USUAL;
  const factors = factorsOf(runs.map(({ one }) => one));
  const finished = runs.filter(({ one }) => isFinished(one));
  const cells = finished.map(({ one }) => cellOf(one, factors));
  const isRepeated = new Set(cells).size < cells.length;
  const comparison = useComparison(isRepeated ? finished : [], factors, metric);
  const best = bestCell(comparison.data);
  /** @param {Run} run @param {string} name */
  const isBest = (run, name) => name === metric && best !== null && cellOf(run.one, factors) === best;
  return html`<section class="card stack" aria-labelledby="figures-title">
    <div class="card-head"><h2 id="figures-title">Figures</h2>
      ${
        isRepeated &&
        html`<label class="inline">Test by <select
          onChange=${onText((name) => change({ figure: name === USUAL ? "" : name }))}>
          ${FIGURES.map(([name, title]) => html`<option value=${name} selected=${name === metric}>${title}</option>`)}
          </select></label>`
      }</div>
    <div class="scroll" tabindex="0" role="region" aria-label="Figures of the runs">
      <table class="side-by-side"><${RunHeads} runs=${runs} first="Figure" isNumeric />
      <tbody><tr><th scope="row">Epochs</th>${runs.map(
        ({ one }) => html`<td class="number">${one.epochs_done} of ${one.spec.epochs}</td>`,
      )}</tr>
      ${FIGURES.map(
        ([name, title, unit]) =>
          html`<tr key=${name}><th scope="row">${title}</th>${runs.map(
            (run) => html`<td class=${`number ${isBest(run, name) ? "better" : ""}`}>
            ${figure(/** @type {number | null} */ (run.one[name]), unit)}${
              isBest(run, name) && html` <span class="small-text">▲ best</span>`
            }</td>`,
          )}</tr>`,
      )}</tbody></table></div>
    ${
      isRepeated
        ? html`<${Tested} comparison=${comparison} runs=${finished} factors=${factors} />`
        : html`<p class="verdict">Single runs: no setting has two seeds here, so no test can tell a difference from
          chance, and no figure is marked as the best.
          <span class="muted"> Add runs of other seeds, or let a study train them.</span></p>`
    }
  </section>`;
}

/**
 * The comparison of the groups that the runs form, over all pairs.
 * @param {Run[]} runs
 * @param {string[]} factors
 * @param {string} metric
 */
function useComparison(runs, factors, metric) {
  const query = new URLSearchParams([
    ["metric", metric],
    ["versus", "all"],
    ...(factors.length ? factors : ["activation"]).map((path) => ["group_by", path]),
    ...runs.map(({ one }) => ["id", one.id]),
  ]);
  return useFeed(runs.length > 0 ? `/comparisons?${query}` : null);
}

/**
 * The cell of the only group that every other is worse than; null where the tests leave more than one.
 * @param {Api.Comparison | undefined} comparison
 */
function bestCell(comparison) {
  if (!comparison || comparison.groups.length < 2) return null;
  const first = comparison.groups.filter(({ mean, rank }) => mean !== null && rank[0] === 1);
  return first.length === 1 && first[0].rank[1] === 1 ? cellOfGroup(first[0].factors) : null;
}

/**
 * What the tests of the groups say, with the mean of each.
 * @param {{comparison: import("../../data/store.js").Snapshot, runs: Run[], factors: string[]}} props
 */
function Tested({ comparison: { data, error }, runs, factors }) {
  if (error && !error.passing && !data)
    return html`<p class="verdict">No test: ${error.message} So no figure is marked as the best.</p>`;
  if (!data) return html`<p class="verdict muted">Comparing …</p>`;
  /** @type {Api.Comparison} */
  const { groups, family, summary } = data;
  /** @param {Api.Group} group */
  const runsOf = ({ names }) => {
    const cells = names.map(cellOfGroup);
    return runs.filter(({ one }) => factors.length === 0 || cells.includes(cellOf(one, factors)));
  };
  return html`<p class="verdict">${summary.join(" ")}</p>
    <div class="scroll"><table class="cards">
      <caption class="visually-hidden">Groups of runs by ${family.title}, best mean first</caption>
      <thead><tr><th scope="col">Group</th><th scope="col" class="number">n</th><th scope="col" class="number">Mean</th>
        <th scope="col" class="number">95 % over seeds</th><th scope="col" class="number">Rank</th></tr></thead>
      <tbody>${groups.map(
        (
          group,
        ) => html`<tr key=${JSON.stringify(group.factors)}><th scope="row"><${Members} runs=${runsOf(group)} /></th>
        <td data-label="n" class="number">${group.n}</td>
        <td data-label="Mean" class="number">${figure(group.mean, family.unit)}</td>
        <td data-label="95 % over seeds" class="number">
          ${group.interval ? range(group.interval, family.unit) : "needs 2 seeds"}</td>
        <td data-label="Rank" class="number">
          ${group.mean === null ? "–" : [...new Set(group.rank)].join("–")}</td></tr>`,
      )}</tbody></table></div>
    <p class="small-text muted">${family.title}. Runs that differ in the seed alone form a group. Ranks are ranges: what
      the tests leave open. Marked is the only group that every other is worse than; other figures are not tested
      here.</p>`;
}

/** @param {{runs: Run[]}} props */
function Members({ runs }) {
  return html`${runs.map(
    ({ one, label, style }) => html`<span class="named" key=${one.id}><${Swatch} style=${style} />${label}</span> `,
  )}`;
}
