/** Pictures of studies with several factors: a heat map of two, and from three on parallel coordinates. */
import { html, useMemo } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { cellsIn, factorsOf } from "./cells.js";
import { TwoFactors } from "./heatmap.js";
import { ManyFactors } from "./manyfactors.js";

const MOST_CELLS = 400; // more lines than that are one surface

/** @param {{study: Api.StudyView, grid: string, metric: string, query: URLSearchParams,
 *   change: (changes: Record<string, string>) => void}} props */
export function SeveralFactors({ study, grid, metric, query, change }) {
  const parameters = new URLSearchParams({ metric, versus: "all", ...(grid && { grid }) });
  const { data } = useFeed(`/studies/${study.id}/comparison?${parameters}`, null, study.revision);
  const groups = useMemo(() => (data ? cellsIn(data.groups) : []), [data]);
  const factors = useMemo(() => factorsOf(groups, study), [groups]);
  // While runs learn the study changes and its comparison does not.
  const isMany = factors.length > 2;
  const all = useMemo(
    () =>
      isMany && groups.length <= MOST_CELLS
        ? html`<${ManyFactors} groups=${groups} family=${data.family} factors=${factors} />`
        : null,
    [groups, factors],
  );
  const two = useMemo(
    () =>
      factors.length > 1 &&
      html`<${TwoFactors} groups=${groups} family=${data.family} factors=${factors} query=${query} change=${change} />`,
    [groups, factors, query.toString()],
  );
  if (!two) return null;
  return html`<section class="card stack" aria-labelledby="factors-title">
    <div class="card-head"><h2 id="factors-title">Several factors</h2></div>
    ${two}
    ${all}
    ${
      isMany &&
      !all &&
      html`<p class="muted">More than ${MOST_CELLS} cells: lines over all factors would hide each other.</p>`
    }
  </section>`;
}
