/** The page of one study: its progress, learning curves and comparison. */
import { html } from "../../core/html.js";
import { useQuery, useTitle } from "../../core/navigation.js";
import { useFeed } from "../../data/store.js";
import { ago, duration } from "../../text/format.js";
import { gridText, isTuning, STATE_WORDS, studyState, studyTitle, valueText, factorName } from "../../text/labels.js";
import { seedsText } from "../../text/lists.js";
import { Annotations } from "../../components/annotations.js";
import { ArchivedNotice } from "../../components/archiving.js";
import { Loaded, useNow } from "../../components/notices.js";
import { ProgressBar, progressText } from "../../components/progress.js";
import { Segments } from "../../components/segments.js";
import { Answer } from "./answer.js";
import { Claims } from "./claims.js";
import { Comparison } from "./comparison.js";
import { CurvesPanel } from "./curves.js";
import { StudyActions } from "./studyactions.js";
import { StudyExperiments } from "./studyexperiments.js";
import { Tuning, TunesFor } from "./tuning.js";

const BUSY_MS = 1000;
const IDLE_MS = 15_000;

/** @param {{id: string}} props */
export function Page({ id }) {
  const feed = useFeed(`/studies/${id}`, (data) => (data?.finished ? IDLE_MS : BUSY_MS));
  useTitle(feed.data ? studyTitle(feed.data) : "Study");
  return html`<p class="crumb"><a href="/studies">Studies</a></p>
    <${Loaded} feed=${feed} what="the study">
      ${(/** @type {Api.StudyView} */ study) => html`<${Study} study=${study} />`}<//>`;
}

/** @param {{study: Api.StudyView}} props */
function Study({ study }) {
  return html`<div class="stack">
    <${Head} study=${study} />
    <${ArchivedNotice} one=${study} list="/studies" noun="study" />
    <${Annotations} one=${study} list="/studies" />
    ${study.tunes && html`<${TunesFor} study=${study} />`}
    ${study.tuning && html`<${Tuning} study=${study} />`}
    ${isTuning(study) ? null : html`<${Ranked} study=${study} />`}
  </div>`;
}

/**
 * The results of a study. What the reader has chosen to see is in the query of the address, so that a link shows it.
 * @param {{study: Api.StudyView}} props
 */
function Ranked({ study }) {
  const [query, change] = useQuery();
  const names = study.grids.map(({ name }) => name);
  const asked = query.get("grid") ?? "";
  const grid = names.includes(asked) ? asked : (names[0] ?? "");
  return html`${
    study.grids.length > 0 &&
    html`<${Segments} label="Grid" value=${grid} 
    onChange=${(/** @type {string} */ name) => change({ grid: name, hidden: [] })}
    choices=${names.map((name) => [name, name])} />`
  }
    <${Answer} study=${study} grid=${grid} />
    <${CurvesPanel} key=${`curves of ${grid}`} study=${study} grid=${grid} query=${query} change=${change} />
    <${Comparison} study=${study} grid=${grid} query=${query} change=${change} />
    <${Claims} study=${study} />
    <${StudyExperiments} study=${study} />`;
}

/** @param {{study: Api.StudyView}} props */
function Head({ study }) {
  const now = useNow(10_000);
  const state = studyState(study);
  return html`<header>
    <div class="page-head">
      <div><h1>${studyTitle(study)} <span class=${`badge ${state}`}>${STATE_WORDS[state]}</span></h1>
        ${study.question && html`<p>${study.question}</p>`}
        <p class="small-text">
          ${study.name && `${gridText(study)}; `}${baseText(study)} ·
            seeds ${seedsText(study.seeds)}${study.reuse && " · counts what others have trained"} ·
            created ${ago(study.created_at, now)}</p></div>
      <${StudyActions} study=${study} />
    </div>
    <div class="study-progress">
      <${ProgressBar} progress=${study.progress} />
      <p class="muted" role="status">
        ${progressText(study)}${!study.finished && !isTuning(study) && study.eta_seconds === null && waiting(study)}</p>
    </div>
  </header>`;
}

/**
 * The reason why no time is estimated.
 * @param {Api.StudyView} of
 */
function waiting({ id, progress }) {
  if (!progress.running) return html`<${NoneRuns} id=${id} />`;
  return progress.succeeded ? "; no worker has reported lately" : "; the time left is known when the first has ended";
}

/**
 * The reason why none of a study's experiments runs: that of its oldest one.
 * @param {{id: string}} props
 */
function NoneRuns({ id }) {
  const { data } = useFeed(`/experiments?study=${id}&status=queued&sort=id&limit=1`, BUSY_MS);
  return html`; none is running now. ${data?.items[0]?.waiting_reason}`;
}

/**
 * The base spec of a study in a line.
 * @param {Api.StudyView} of
 */
function baseText({ base }) {
  return Object.entries(base)
    .map(([path, value]) => `${factorName(path)} ${path.endsWith("seconds") ? duration(value) : valueText(value)}`)
    .join(", ");
}
