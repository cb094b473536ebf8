/** The page of one experiment: its state, curves, result, attempts and spec. */
import { html, useRef, useState } from "../../core/html.js";
import { navigate, useTitle } from "../../core/navigation.js";
import { act, newKey } from "../../data/api.js";
import { refresh, useFeed } from "../../data/store.js";
import { ago, clock, duration, percent } from "../../text/format.js";
import { specText } from "../../text/spec.js";
import { Annotations } from "../../components/annotations.js";
import { ArchiveActions, ArchivedNotice } from "../../components/archiving.js";
import { AsRequest } from "../../components/asrequest.js";
import { Confirm } from "../../components/dialog.js";
import { Loaded, useNow } from "../../components/notices.js";
import { StatusBadge } from "../../components/statusbadge.js";
import { ActivationName } from "../../components/swatch.js";
import { Attempts } from "./attempts.js";
import { Diagnostics } from "./diagnostics.js";
import { Result } from "./result.js";
import { RunCurves } from "./runcurves.js";

const BUSY_MS = 1000;
const IDLE_MS = 15_000;

/** @param {{status: Api.Status}} of */
export const isActive = ({ status }) => status === "queued" || status === "running";

/** @param {{id: string}} props */
export function Page({ id }) {
  const feed = useFeed(`/experiments/${id}`, (data) => (data && !isActive(data) ? IDLE_MS : BUSY_MS));
  useTitle(feed.data ? `${feed.data.name ?? feed.data.activation_label}, seed ${feed.data.spec.seed}` : "Experiment");
  return html`<p class="crumb">${
    feed.data?.study_id
      ? html`<a href=${`/studies/${feed.data.study_id}`}>The study it is of</a>`
      : html`<a href="/experiments">Experiments</a>`
  }</p>
    <${Loaded} feed=${feed} what="the experiment">
      ${(/** @type {Api.ExperimentView} */ one) => html`<${Experiment} one=${one} />`}<//>`;
}

/** @param {{one: Api.ExperimentView}} props */
function Experiment({ one }) {
  return html`<div class="stack">
    <${Head} one=${one} />
    <${ArchivedNotice} one=${one} list="/experiments" noun="experiment" />
    <${Annotations} one=${one} list="/experiments" />
    <${State} one=${one} />
    <${RunCurves} one=${one} />
    ${one.spec.diagnostics && html`<${Diagnostics} one=${one} />`}
    ${one.status === "succeeded" && html`<${Result} one=${one} />`}
    <div class="columns"><${Attempts} one=${one} /><${Spec} one=${one} /></div>
  </div>`;
}

/** @param {{one: Api.ExperimentView}} props */
function Head({ one }) {
  const now = useNow(10_000);
  return html`<header class="page-head">
    <div><h1>${one.name ?? html`<${ActivationName} label=${one.activation_label} />`} <${StatusBadge} one=${one} /></h1>
      <p>${one.name && `${one.activation_label}, `}seed ${one.spec.seed}, ${specText(one.spec)}</p>
      <p class="small-text">created ${ago(one.created_at, now)}${one.finished_at && `, ended ${clock(one.finished_at)}`}
        ${one.retry_of && html`, a retry of <a href=${`/experiments/${one.retry_of}`}>an earlier one</a>`}</p></div>
    <${Actions} one=${one} />
  </header>`;
}

/** @param {{one: Api.ExperimentView}} props */
function Actions({ one }) {
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState(/** @type {any} */ (null));
  const key = useRef(newKey());
  const retry = () =>
    act(`/experiments/${one.id}/retry`, { once: key.current }).then(
      (again) => navigate(`/experiments/${again.id}`),
      setError,
    );
  return html`<div class="actions">
    ${
      isActive(one) &&
      !one.cancel_requested &&
      html`<button type="button"
      onClick=${() => setOpen(true)}>Cancel</button>`
    }
    ${!isActive(one) && html`<button type="button" onClick=${retry}>Train it again</button>`}
    ${
      !isActive(one) &&
      html`<${ArchiveActions} one=${one} list="/experiments" noun="experiment"
      loses="its epochs, result, weights and attempts" />`
    }
    ${error && html`<p class="wrong" role="alert">${error.message}</p>`}
    ${
      isOpen &&
      html`<${Confirm} title="Cancel this experiment?" verb="Cancel the experiment" onClose=${() => setOpen(false)}
      act=${() => act(`/experiments/${one.id}/cancel`)} done=${() => refresh("/")}>
      <p>It ends without a result; its epochs so far are kept.</p><//>`
    }
  </div>`;
}

/** @param {{one: Api.ExperimentView}} props */
function State({ one }) {
  const best = `best validation loss${one.best_epoch ? ` (epoch ${one.best_epoch})` : ""}`;
  const facts = [
    ["Epochs", `${one.epochs_done} of ${one.spec.epochs}`],
    ["Test accuracy, last epoch", percent(one.test_accuracy)],
    ["Validation accuracy, last epoch", percent(one.validation_accuracy)],
    [`Test accuracy, ${best}`, percent(one.best_test_accuracy)],
    [`Validation accuracy, ${best}`, percent(one.best_validation_accuracy)],
    ["Training time", duration(one.seconds)],
    ["Attempts", String(one.attempt)],
  ];
  return html`${
    one.waiting_reason &&
    html`<div class="notice">
    <strong>Waiting, number ${one.queue_position}.</strong> ${one.waiting_reason}</div>`
  }
    ${
      one.cause &&
      html`<div class=${`notice ${one.status === "failed" ? "bad" : ""}`}><strong>${one.cause.replaceAll("_", " ")}
        </strong>
      ${one.detail && html`<p>${one.detail}</p>`}${one.remedy && html`<p>${one.remedy}</p>`}</div>`
    }
    <dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** @param {{one: Api.ExperimentView}} props */
function Spec({ one }) {
  const body = { ...one.spec, ...(one.name && { name: one.name }), ...(one.tags.length && { tags: one.tags }) };
  return html`<section class="card stack" aria-labelledby="spec-title"><h2 id="spec-title">Spec</h2>
    <dl>${Object.entries(one.spec).map(
      ([name, value]) => html`<dt><code>${name}</code></dt><dd><code>
      ${JSON.stringify(value)}</code></dd>`,
    )}</dl>
    <${AsRequest} resource="experiments" body=${body} title="Train the same with a request" />
  </section>`;
}
