/** The page of all studies: the state of each and its outcome so far. */
import { onText } from "../../core/events.js";
import { html } from "../../core/html.js";
import { useQuery, useTitle } from "../../core/navigation.js";
import { useFeed, useKept } from "../../data/store.js";
import { ago } from "../../text/format.js";
import { cellsOf, gridText, STATE_WORDS, studyState, studyTitle } from "../../text/labels.js";
import { ArchivedChoice, Chips, without } from "../../components/chips.js";
import { Empty, Loaded, useNow } from "../../components/notices.js";
import { Pager } from "../../components/pager.js";
import { ProgressBar, progressText } from "../../components/progress.js";
import { Tags } from "../../components/tags.js";
import { Outcome } from "./outcome.js";

const NAMES = ["text", "tag", "archived", "cursor"];
const PER_PAGE = 25;
const BUSY_MS = 2000;
const IDLE_MS = 10_000;

export function Page() {
  useTitle("Studies");
  const [query, change] = useQuery();
  const filters = new URLSearchParams({ limit: String(PER_PAGE) });
  for (const name of NAMES) for (const value of query.getAll(name)) filters.append(name, value);
  const isFirst = !query.get("cursor");
  const feed = useKept(useFeed(`/studies?${filters}`, intervalOf));
  /** @param {Record<string, string | string[]>} changes */
  const narrow = (changes) => change({ ...changes, cursor: "" });
  const tags = query.getAll("tag").map((value) => ({ name: "tag", value, text: `tag ${value}` }));
  const isNarrowed = tags.length > 0 || NAMES.some((name) => query.get(name));
  return html`<div class="page-head">
      <div><h1>Studies</h1><p>A study trains every combination of its factors over several seeds, and compares them.</p>
        </div>
      <a class="button primary" href="/studies/new">New study</a>
    </div>
    <div class="filters">
      <input type="search" aria-label="Search by name" placeholder="Search by name" value=${query.get("text") ?? ""}
        onInput=${onText((text) => narrow({ text: text.trim() }))} />
      <${ArchivedChoice} value=${query.get("archived") ?? ""}
        onChange=${(/** @type {string} */ archived) => narrow({ archived })} />
    </div>
    <${Chips} chips=${tags} onClear=${() => narrow({ tag: "" })}
      onRemove=${(/** @type {any} */ chip) => narrow({ tag: without(query, chip) })} />
    <${Loaded} feed=${feed} what="the studies" place="card list-place">${(/** @type {Api.Page_StudyView_} */ data) => {
      if (data.items.length > 0) return html`<${Studies} items=${data.items} isOld=${feed.isOld} />`;
      return html`<div class="list-place">${isNarrowed ? html`<${NoneFits} change=${change} />` : html`<${Welcome} />`}
        </div>`;
    }}<//>
    <${Pager} data=${feed.data} isFirst=${isFirst}
      onChange=${(/** @type {string} */ cursor) => change({ cursor }, { push: true })} />`;
}

/** @param {Api.Page_StudyView_ | undefined} data */
const intervalOf = (data) => (data?.items.some((study) => !study.finished) ? BUSY_MS : IDLE_MS);

/** @param {{change: (changes: Record<string, string>) => void}} props */
function NoneFits({ change }) {
  return html`<${Empty} title="No study fits">
    <p><button type="button" onClick=${() => change(Object.fromEntries(NAMES.map((name) => [name, ""])))}>
      Take the filters away</button></p><//>`;
}

function Welcome() {
  return html`<${Empty} title="Which activation function should this network use?">
    <p>Pick functions, say how many seeds, and ActLab trains them all, tests the differences and says which are real.
      The form starts with ReLU against swish over 5 seeds, on a small data set that needs no download.</p>
    <p><a class="button primary" href="/studies/new">Compare ReLU with swish</a></p>
    <p class="small-text">Or look at <a href="/activations">the functions</a> first.</p>
  <//>`;
}

/** @param {{items: Api.StudyView[], isOld: boolean}} props */
function Studies({ items, isOld }) {
  const now = useNow(10_000);
  return html`<div class="card tight scroll"><table class="cards studies" aria-busy=${isOld ? "true" : undefined}>
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
      ${study.archived_at && html` <span class="badge">archived</span>`}
      <div class="small-text muted">${study.question ?? (study.name ? gridText(study) : "")}</div>
      <${Tags} tags=${study.tags} list="/studies" /></th>
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
    : html`<div class="outcome muted">…</div>`;
}
