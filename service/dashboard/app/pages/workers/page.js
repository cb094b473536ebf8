/** The page of workers: their devices and experiments, and the length of the queue. */
import { html } from "../../core/html.js";
import { useTitle } from "../../core/navigation.js";
import { useFeed } from "../../data/store.js";
import { ago, bytes, count, duration, NONE } from "../../text/format.js";
import { Empty, Loaded, useNow } from "../../components/notices.js";

const EVERY_MS = 2000;

export function Page() {
  useTitle("Workers");
  const workers = useFeed("/workers", EVERY_MS);
  const queue = useFeed("/queue", EVERY_MS);
  return html`<div class="page-head"><div><h1>Workers</h1><p>Processes that train, and what waits for them.</p></div>
    </div>
    <${Loaded} feed=${queue} what="the queue">
      ${(/** @type {Api.QueueView} */ data) => html`<${Queue} queue=${data} />`}<//>
    <${Loaded} feed=${workers} what="the workers">
      ${(/** @type {Api.WorkersView} */ data) => html`<${Workers} items=${data.items} />`}<//>`;
}

/** @param {{queue: Api.QueueView}} props */
function Queue({ queue }) {
  const facts = [
    ["Running", count(queue.running)],
    ["Queued", count(queue.queued)],
    ["Oldest has waited", queue.queued ? duration(queue.oldest_queued_seconds) : NONE],
    ["All done in about", queue.queued + queue.running ? duration(queue.eta_seconds) : NONE],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>`;
}

/** @param {{items: Api.WorkerView[]}} props */
function Workers({ items }) {
  const now = useNow(1000);
  if (items.length === 0) {
    return html`<${Empty} title="No worker has reported yet">
      <p>Experiments wait in the queue until one does. <code>actlab up</code> starts the API with a worker;${" "}
        <code>actlab worker</code> adds another.</p>
    <//>`;
  }
  /** @param {Api.WorkerView} worker */
  const order = (worker) => [worker.alive ? 0 : 1, -Date.parse(worker.last_seen)];
  const sorted = [...items].sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
  return html`<div class="columns">
    ${sorted.map((worker) => html`<${Worker} key=${worker.id} worker=${worker} now=${now} />`)}</div>`;
}

/** @param {{worker: Api.WorkerView, now: number}} props */
function Worker({ worker, now }) {
  const { total, used } = worker.memory;
  const share = total && used !== null ? Math.min(1, used / total) : null;
  return html`<section class="card worker" aria-label=${`Worker on ${worker.hostname}`}>
    <div class="card-head">
      <h2>${worker.hostname} <span class="muted small-text">process ${worker.pid}</span></h2>
      <span class=${`badge ${worker.alive ? (worker.status === "busy" ? "running" : "succeeded") : "failed"}`}>
        ${worker.problem ? "cannot start" : worker.alive ? worker.status : "not heard of"}</span>
    </div>
    ${worker.problem && html`<p>${worker.problem}</p>`}
    <p>${worker.device_name} <span class="muted">(${worker.device})</span></p>
    <div>
      <div class="meter" aria-hidden="true"><span style=${{ width: `${100 * (share ?? 0)}%` }}></span></div>
      <p class="small-text muted">
        ${share === null ? "memory in use: not known" : `${bytes(used)} of ${bytes(total)} memory`}</p>
    </div>
    <dl>
      <dt>Runs</dt>
      <dd>${
        worker.experiments.length
          ? worker.experiments.map(
              (id) => html`<${Running} key=${id}
        id=${id} />`,
            )
          : "nothing"
      }</dd>
      <dt>Last seen</dt><dd>${ago(worker.last_seen, now)}</dd>
      <dt>Started</dt><dd>${ago(worker.started_at, now)}</dd>
      <dt>Versions</dt><dd>${Object.entries(worker.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", ")}</dd>
    </dl>
  </section>`;
}

/** @param {{id: string}} props */
function Running({ id }) {
  const { data } = useFeed(`/experiments/${id}`, EVERY_MS);
  const what = data ? `${data.activation_label}, seed ${data.spec.seed}` : id;
  return html`<div><a href=${`/experiments/${id}`}>${what}</a>
    ${data && html`<span class="muted"> epoch ${data.epochs_done} of ${data.spec.epochs}</span>`}</div>`;
}
