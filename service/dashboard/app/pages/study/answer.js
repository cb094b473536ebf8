/** The answer to "which should I use": chosen on the validation images, described by the test images. */
import { html } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { counted, figure, range } from "../../text/format.js";
import { groupKey } from "../../text/labels.js";
import { GroupName } from "../../components/swatch.js";

const MOST_NAMED = 5;

/**
 * The metrics that choose and describe: of the last epoch, or with early stopping of the best one, which it keeps.
 * @param {Api.StudyView} study
 */
export function metricsOf({ base, factors, grids }) {
  const isVaried = [factors, ...grids.map((grid) => grid.factors)].some((varied) => "early_stopping" in varied);
  return base.early_stopping || isVaried
    ? { choice: "best_validation_accuracy", test: "best_test_accuracy", epoch: "the best epoch" }
    : { choice: "validation_accuracy", test: "test_accuracy", epoch: "the last epoch" };
}

/** @param {{study: Api.StudyView, grid: string}} props */
export function Answer({ study, grid }) {
  const { choice, test, epoch } = metricsOf(study);
  const part = grid && `&grid=${encodeURIComponent(grid)}`;
  /** @param {string} metric */
  const path = (metric) => `/studies/${study.id}/comparison?metric=${metric}&versus=all${part}`;
  const feeds = [choice, test].map((metric) => useFeed(path(metric), null, study.revision));
  const [chosen, described] = feeds.map(({ data }) => data);
  if (feeds.some(({ error, data }) => error && !error.passing && !data)) return null;
  // Its room is kept while it is on its way, so that what follows stays in place.
  if ((!chosen || !described) && study.progress.succeeded > 0)
    return html`<section class="card"><p class="loading" role="status">Comparing …</p></section>`;
  if (!chosen || !described || !chosen.groups.some((/** @type {Api.Group} */ group) => group.mean !== null))
    return null;
  const candidates = chosen.groups.filter(
    (/** @type {Api.Group} */ group) => group.mean !== null && group.rank[0] === 1,
  );
  return html`<section class="card stack answer" aria-labelledby="answer-title">
    <h2 id="answer-title">Which should I use?</h2>
    <p class="verdict">${chosen.summary[0]}</p>
    <${Candidates} groups=${candidates} described=${described} />
    <p class="small-text muted">Chosen on validation accuracy at ${epoch}, over all pairs. The test accuracies describe
      the choice and have no part in it: the highest of several test accuracies is too high an estimate of what its
      function reaches on new images.</p>
  </section>`;
}

/** @param {{groups: Api.Group[], described: Api.Comparison}} props */
function Candidates({ groups, described }) {
  const others = groups.length - MOST_NAMED;
  const onTest = new Map(described.groups.flatMap((group) => group.names.map((name) => [groupKey(name), group])));
  return html`<div class="scroll"><table class="cards">
    <caption class="visually-hidden">The groups that the choice leaves open</caption>
    <thead><tr><th scope="col">Group</th><th scope="col" class="number">Validation accuracy</th>
      <th scope="col" class="number">95 % over seeds</th><th scope="col" class="number">Test accuracy</th>
      <th scope="col" class="number">95 % over seeds</th><th scope="col" class="number">n</th></tr></thead>
    <tbody>${groups.slice(0, MOST_NAMED).map((group) => {
      const test = onTest.get(groupKey(group.factors));
      return html`<tr key=${groupKey(group.factors)}><th scope="row"><${GroupName} factors=${group.factors} /></th>
        <td data-label="Validation accuracy" class="number">${figure(group.mean, "fraction")}</td>
        <td data-label="95 % over seeds" class="number">${intervalText(group)}</td>
        <td data-label="Test accuracy" class="number">${figure(test?.mean, "fraction")}</td>
        <td data-label="95 % over seeds" class="number">${intervalText(test)}</td>
        <td data-label="n" class="number">${group.n}</td></tr>`;
    })}</tbody></table></div>
    ${others > 0 && html`<p class="small-text">and ${counted(others, "other group")}</p>`}`;
}

/** @param {Api.Group | undefined} group */
const intervalText = (group) => (group?.interval ? range(group.interval, "fraction") : "needs 2 seeds");
