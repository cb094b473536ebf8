/** Actions on a study: cancel it, add seeds, retry what failed, report, export and share it. */
import { onText } from "../../core/events.js";
import { html, useRef, useState } from "../../core/html.js";
import { act, newKey, patch } from "../../data/api.js";
import { refresh } from "../../data/store.js";
import { counted } from "../../text/format.js";
import { isTuning } from "../../text/labels.js";
import { seedsOf, seedsText } from "../../text/lists.js";
import { useMayChange } from "../../components/access.js";
import { ArchiveActions } from "../../components/archiving.js";
import { Confirm } from "../../components/dialog.js";
import { Field } from "../../components/field.js";
import { Menu } from "./menu.js";
import { Share } from "./share.js";

/** @param {{study: Api.StudyView}} props */
export function StudyActions({ study }) {
  const [open, setOpen] = useState("");
  const mayShare = useMayChange();
  const close = () => setOpen("");
  const active = study.progress.queued + study.progress.running;
  const what = isTuning(study) ? "the tuning and the ranking" : counted(active, "experiment");
  const isOwn = study.tunes === null; // else it is cancelled and extended by the study that it tries rates for
  return html`<div class="actions">
    ${isOwn && !study.cancelled_at && html`<button type="button" onClick=${() => setOpen("seeds")}>Add seeds</button>`}
    ${
      isOwn &&
      !study.finished &&
      !study.cancelled_at &&
      html`<button type="button"
      onClick=${() => setOpen("cancel")}>Cancel study</button>`
    }
    ${
      isOwn &&
      !study.cancelled_at &&
      study.retryable > 0 &&
      html`<button type="button"
      onClick=${() => setOpen("retry")}>Retry ${study.retryable} failed</button>`
    }
    <${Menu} label="Report" groups=${reportsOf(study)} />
    <${Menu} label="Export" groups=${exportsOf(study)} />
    ${mayShare && html`<button type="button" onClick=${() => setOpen("share")}>Share</button>`}
    ${
      isOwn &&
      study.finished &&
      html`<${ArchiveActions} one=${study} list="/studies" noun="study"
      loses="those of its experiments that no other study counts, and their results" />`
    }
    ${
      open === "cancel" &&
      html`<${Confirm} title="Cancel this study?" verb=${`Cancel ${what}`} onClose=${close}
      act=${() => act(`/studies/${study.id}/cancel`)} done=${() => refresh("/")}>
      <p>What waits or runs will end without a result. What has ended keeps its own.</p><//>`
    }
    ${open === "retry" && html`<${RetryFailed} study=${study} onClose=${close} />`}
    ${open === "share" && html`<${Share} study=${study} onClose=${close} />`}
    ${open === "seeds" && html`<${AddSeeds} study=${study} onClose=${close} />`}
  </div>`;
}

const FORMATS = [
  ["csv", "CSV"],
  ["parquet", "Parquet"],
  ["jsonl", "JSON Lines"],
];

/** @param {Api.StudyView} of */
function exportsOf({ id }) {
  return [
    ["experiments", "A row for each experiment"],
    ["epochs", "A row for each epoch"],
    ["diagnostics", "A row for each layer and epoch"],
  ].map(([rows, title]) => ({
    title,
    links: FORMATS.map(([format, text]) => ({
      href: `/api/v1/studies/${id}/export?format=${format}&rows=${rows}`,
      text,
      download: true,
    })),
  }));
}

/** @param {Api.StudyView} of */
function reportsOf({ id, reference }) {
  const at = `/api/v1/studies/${id}/report`;
  const kinds = [
    ["", "As one page"],
    ["format=markdown", "As Markdown"],
  ];
  /** @param {string} more */
  const links = (more) =>
    kinds.map(([query, text]) => ({
      href: [at, [query, more].filter(Boolean).join("&")].filter(Boolean).join("?"),
      text,
    }));
  return [
    { title: "The whole study, to read or keep", links: links("") },
    ...(reference === null ? [] : [{ title: "Of all pairs, another family of tests", links: links("versus=all") }]),
    { title: "Beside the article’s curves", links: links("reference=kizrak-2019") },
  ];
}

/** @param {{study: Api.StudyView, onClose: () => void}} props */
function RetryFailed({ study, onClose }) {
  const key = useRef(newKey());
  const what = counted(study.retryable, "experiment");
  return html`<${Confirm} title="Retry what failed?" verb=${`Train ${what} again`} onClose=${onClose}
    act=${() => act(`/studies/${study.id}/retry`, { once: key.current })} done=${() => refresh("/")}>
    <p>Experiments that failed or were lost are queued again as new ones, with the same specs and seeds. What diverged
      is likely to diverge again.</p><//>`;
}

/** @param {{study: Api.StudyView, onClose: () => void}} props */
function AddSeeds({ study, onClose }) {
  const next = Math.max(...study.seeds) + 1;
  const [text, setText] = useState(`${next}-${next + 1}`);
  const added = seedsOf(text).filter((seed) => !study.seeds.includes(Number(seed)));
  const more =
    study.grids.length || isTuning(study)
      ? "more experiments"
      : counted(added.length * (study.experiments / study.seeds.length), "more experiment");
  const send = () => patch(`/studies/${study.id}`, { seeds: [...study.seeds, ...added] }, study.edit_version);
  return html`<${Confirm} title="Add seeds" verb=${`Train ${more}`} act=${send}
    done=${() => refresh("/")} onClose=${onClose}>
    <p>It has ${counted(study.seeds.length, "seed")} now: ${seedsText(study.seeds)}. More seeds narrow the
      intervals.</p>
    <${Field} label="Seeds to add" hint="such as 3-4, or 7, 11">${(
      /** @type {object} */ attributes,
    ) => html`<input ...${attributes} value=${text} autocomplete="off"
      onInput=${onText(setText)} />`}<//>
  <//>`;
}
