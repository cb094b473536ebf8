/** Groups side by side: the sentence, the ranking with every seed, the pairs, the main effects. */
import { onText } from "../../core/events.js";
import { html, useMemo } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { groupLabel } from "../../text/labels.js";
import { Failure } from "../../components/notices.js";
import { Segments } from "../../components/segments.js";
import { DifferingImages } from "./differingimages.js";
import { Effects } from "./effects.js";
import { Pairs } from "./pairs.js";
import { Ranking } from "./ranking.js";
import { SeveralFactors } from "./severalfactors.js";
import { verdictText } from "./verdict.js";
import { Worth } from "./worth.js";

export const METRICS = [
  ["test_accuracy", "Test accuracy, last epoch"],
  ["best_test_accuracy", "Test accuracy, best-validation epoch"],
  ["test_loss", "Test loss, last epoch"],
  ["best_test_loss", "Test loss, best-validation epoch"],
  ["validation_accuracy", "Validation accuracy, last epoch"],
  ["best_validation_accuracy", "Validation accuracy, best-validation epoch"],
  ["validation_loss", "Validation loss, last epoch"],
  ["best_validation_loss", "Validation loss, lowest"],
  ["learning_speed", "Speed of learning (early loss)"],
  ["seconds", "Training time"],
  ["images_per_second", "Images per second"],
];

const USUAL_METRIC = "test_accuracy";
const ALL_PAIRS = "all";

/**
 * `query` and `change` are those of the address, where the metric and the family of tests are kept.
 * @param {{study: any, grid: string, query: URLSearchParams, change: (changes: Record<string, string>) => void}} props
 */
export function Comparison({ study, grid, query, change }) {
  const asked = query.get("metric") ?? "";
  const metric = METRICS.some(([name]) => name === asked) ? asked : USUAL_METRIC;
  // "": the study's reference, or all pairs without one
  const versus = query.get("versus") === ALL_PAIRS ? ALL_PAIRS : "";
  const parameters = new URLSearchParams({ metric, seeds: "true", ...(grid && { grid }), ...(versus && { versus }) });
  const feed = useFeed(`/studies/${study.id}/comparison?${parameters}`, null, study.revision);
  const data = feed.data;
  // While runs learn the study changes and its comparison does not: of a hundred groups that is most of the page.
  const ranking = useMemo(
    () => data && html`<p class="verdict">${verdictText(data)}</p><${Ranking} comparison=${data} />`,
    [data],
  );
  const pairs = useMemo(() => data?.pairs.length > 0 && html`<${Pairs} comparison=${data} />`, [data]);
  const effects = useMemo(
    () => data?.effects.length > 0 && !study.tuning && html`<${Effects} comparison=${data} />`,
    [data, study.tuning],
  );
  return html`<section class="card stack" aria-labelledby="comparison-title">
      <div class="card-head">
        <h2 id="comparison-title">Ranking</h2>
        ${
          data?.family.reference &&
          html`<${Segments} label="Family of tests" value=${versus}
            onChange=${(/** @type {string} */ family) => change({ versus: family })} choices=${[
              ["", `against ${groupLabel(data.family.reference)}`],
              [ALL_PAIRS, "all pairs"],
            ]} />`
        }
        <label class="inline">by <select value=${metric}
          onChange=${onText((name) => change({ metric: name === USUAL_METRIC ? "" : name }))}>
          ${METRICS.map(([name, title]) => html`<option value=${name} selected=${name === metric}>${title}</option>`)}
            </select></label>
      </div>
      ${feed.error && !feed.error.passing && html`<${Failure} error=${feed.error} />`}
      ${ranking ?? (!feed.error && html`<p class="loading">Comparing …</p>`)}
    </section>
    ${pairs}
    ${effects}
    ${
      data &&
      Object.keys(data.groups[0]?.factors ?? {}).length > 1 &&
      html`<${SeveralFactors} key=${`factors of ${grid}`} study=${study} grid=${grid} metric=${metric} query=${query}
        change=${change} />`
    }
    ${data && data.groups.length > 1 && html`<${Worth} key=${`worth of ${grid}`} study=${study} grid=${grid} />`}
    ${
      data &&
      data.groups.length > 1 &&
      html`<${DifferingImages} key=${grid} study=${study} grid=${grid}
      groups=${data.groups} />`
    }`;
}
