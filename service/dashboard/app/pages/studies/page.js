/** The page of all studies: the state of each and its outcome so far. */
import { onText } from "../../core/events.js";
import { html } from "../../core/html.js";
import { useQuery, useTitle } from "../../core/navigation.js";
import { useFeed } from "../../data/store.js";
import { ago } from "../../text/format.js";
import { cellsOf, gridText, STATE_WORDS, studyState, studyTitle } from "../../text/labels.js";
import { Empty, Loaded, useNow } from "../../components/notices.js";
import { Pager } from "../../components/pager.js";
import { ProgressBar, progressText } from "../../components/progress.js";
import { Outcome } from "./outcome.js";

const PER_PAGE = 25;
const BUSY_MS = 2000;
const IDLE_MS = 10_000;

export function Page() {
  useTitle("Studies");
  const [query, change] = useQuery();
  const filters = new URLSearchParams({ limit: String(PER_PAGE) });
  for (const name of ["text", "cursor"]) if (query.get(name)) filters.set(name, query.get(name) ?? "");
  const isFirst = !query.get("cursor");
  const feed = useFeed(`/studies?${filters}`, (data) =>
    data?.items.some((/** @type {Api.StudyView} */ study) => !study.finished) ? BUSY_MS : IDLE_MS,
  );
  return html`<div class="page-head">
      <div><h1>Studies</h1><p>A study trains every combination of its factors over several seeds, and compares them.</p>
        </div>
      <a class="button primary" href="/studies/new">New study</a>
    </div>
    <div class="filters">
      <input type="search" aria-label="Search by name" placeholder="Search by name" value=${query.get("text") ?? ""}
        onInput=${onText((text) => change({ text: text.trim(), cursor: "" }))} />
    </div>
    <${Loaded} feed=${feed} what="the studies">${(/** @type {Api.Page_StudyView_} */ data) => {
      if (data.items.length > 0) return html`<${Studies} items=${data.items} />`;
      if (query.get("text")) return html`<p>No study has “${query.get("text")}” in its name.</p>`;
      return isFirst ? html`<${Welcome} />` : html`<p>There are no older studies.</p>`;
    }}<//>
    <${Pager} data=${feed.data} isFirst=${isFirst}
      onChange=${(/** @type {string} */ cursor) => change({ cursor }, { push: true })} />`;
}

function Welcome() {
  return html`<${Empty} title="Which activation function should this network use?">
    <p>Pick functions, say how many seeds, and ActLab trains them all, tests the differences and says which are real.
      The form starts with ReLU against swish over 5 seeds, on a small data set that needs no download.</p>
    <p><a class="button primary" href="/studies/new">Compare ReLU with swish</a></p>
    <p class="small-text">Or look at <a href="/activations">the functions</a> first.</p>
  <//>`;
}

/** @param {{items: Api.StudyView[]}} props */
function Studies({ items }) {
  const now = useNow(10_000);
  return html`<div class="card tight scroll"><table class="cards">
    <caption class="visually-hidden">Studies, newest first</caption>
    <thead><tr><th scope="col">Study</th><th scope="col">State</th><th scope="col">Progress</th>
      <th scope="col">Test accuracy</th><th scope="col">Created</th></tr></thead>
    <tbody>${items.map((study) => html`<${Row} key=${study.id} study=${study} now=${now} />`)}</tbody>
  </table></div>`;
}

/** @param {{study: Api.StudyView, now: number}} props */
function Row({ study, now }) {
  const state = studyState(study);
  return html`<tr>
    <th scope="row"><a href=${`/studies/${study.id}`}>${studyTitle(study)}</a>
      <div class="small-text muted">${study.question ?? (study.name ? gridText(study) : "")}</div></th>
    <td data-label="State"><span class=${`badge ${state}`}>${STATE_WORDS[state]}</span></td>
    <td data-label="Progress" class="wide"><${ProgressBar} progress=${study.progress} />
      <div class="small-text muted">${progressText(study)}</div></td>
    <td data-label="Test accuracy">
      ${
        study.tunes
          ? html`<a href=${`/studies/${study.tunes}`}>chooses rates for its study</a>`
          : html`<${Best}
        study=${study} />`
      }</td>
    <td data-label="Created" class="muted">${ago(study.created_at, now)}</td>
  </tr>`;
}

const MANY_CELLS = 30; // their comparison is too long a read for one line of a list

/** @param {{study: Api.StudyView}} props */
function Best({ study }) {
  const hasResult = study.progress.succeeded > 0;
  const cells = cellsOf(study);
  const { data, error } = useFeed(
    hasResult && cells <= MANY_CELLS ? `/studies/${study.id}/comparison` : null,
    null,
    study.progress.succeeded,
  );
  if (!hasResult) return html`<span class="muted">no result yet</span>`;
  if (cells > MANY_CELLS) return html`<a href=${`/studies/${study.id}`}>compare ${cells} combinations</a>`;
  if (data) return html`<${Outcome} comparison=${data} />`;
  return error && !error.passing
    ? html`<span class="muted">${error.message}</span>`
    : html`<span class="muted">…</span>`;
}
