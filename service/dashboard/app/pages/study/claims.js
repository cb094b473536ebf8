/** The articles' claims as far as a study decides them, with what is missing for the others. */
import { onFold } from "../../core/events.js";
import { html, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { count, plain } from "../../text/format.js";
import { groupLabel } from "../../text/labels.js";
import { Loaded } from "../../components/notices.js";

const BADGES = { supported: "succeeded", refuted: "failed", undecided: "queued" };

/**
 * The claims are requested when the section is opened, since they read every run of the study.
 * @param {{study: Api.StudyView}} props
 */
export function Claims({ study }) {
  const [isOpen, setOpen] = useState(study.preset === "claims");
  return html`<details class="card" open=${isOpen} onToggle=${onFold(setOpen)}>
    <summary><h2>The articles’ claims</h2> <span
      class="muted small-text">what this study says of each of the twelve</span></summary>
    ${isOpen && html`<${Listed} study=${study} />`}
  </details>`;
}

/** @param {{study: Api.StudyView}} props */
function Listed({ study }) {
  const feed = useFeed(`/studies/${study.id}/claims`, null, study.revision);
  return html`<${Loaded} feed=${feed} what="the claims">${(
    /** @type {Api.Claims} */ { claims },
  ) => html`<${Count} claims=${claims} />
    <ol class="claims">${claims.map((claim) => html`<${Claim} key=${claim.number} claim=${claim} />`)}</ol>`}<//>`;
}

/** @param {{claims: Api.Claim[]}} props */
function Count({ claims }) {
  /** @param {Api.Claim["verdict"]} verdict */
  const of = (verdict) => count(claims.filter((claim) => claim.verdict === verdict).length);
  return html`<p>${of("supported")} supported, ${of("refuted")} refuted, ${of("undecided")} undecided.
    <span class="muted"> The preset “claims” collects what it takes to decide them all.</span></p>`;
}

/** @param {{claim: Api.Claim}} props */
function Claim({ claim }) {
  return html`<li value=${claim.number}><details>
    <summary><span class=${`badge ${BADGES[claim.verdict]}`}>${claim.verdict}</span> ${claim.claim}</summary>
    <p class="small-text muted">Rule: ${claim.rule}</p>
    ${claim.missing.length > 0 && html`<p>Missing:</p><ul>${claim.missing.map((one) => html`<li>${one}</li>`)}</ul>`}
    ${claim.parts.length > 0 && html`<${Parts} parts=${claim.parts} />`}
    ${claim.notes.map((note) => html`<p class="small-text">${note}</p>`)}
  </details></li>`;
}

/** @param {{parts: Api.Part[]}} props */
function Parts({ parts }) {
  return html`<div class="scroll"><table class="cards"><thead><tr><th scope="col">Part</th><th scope="col">Verdict</th>
    <th scope="col" class="number">n</th>
      <th scope="col" class="number">Mean</th><th scope="col" class="number">Interval</th>
        <th scope="col" class="number">Limit</th></tr></thead>
    <tbody>${parts.map(
      (part) => html`<tr><th scope="row">${part.title}<div class="small-text muted">
        ${Object.keys(part.context).length > 0 && groupLabel(part.context)}</div></th>
      <td data-label="Verdict"><span class=${`badge ${BADGES[part.verdict]}`}>${part.verdict}</span></td>
        <td data-label="n" class="number">${part.n}</td>
      <td data-label="Mean" class="number">${plain(part.mean)} ${part.unit}</td>
        <td data-label="Interval" class="number">${intervalText(part)}</td>
      <td data-label="Limit" class="number">${plain(part.limit)}</td></tr>`,
    )}</tbody></table></div>`;
}

/** @param {Api.Part} of */
const intervalText = ({ interval, confidence }) =>
  interval ? `${plain(interval[0])} to ${plain(interval[1])} (${plain(100 * Number(confidence), 4)} %)` : "–";
