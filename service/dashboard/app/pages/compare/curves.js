/** The learning curves of the runs over each other, by one figure that the address names. */
import { onText } from "../../core/events.js";
import { html, useMemo } from "../../core/html.js";
import { mergeRows } from "../../data/epochs.js";
import { useFeed } from "../../data/store.js";
import { CurvesChart } from "../../charts/curves.js";
import { runCurve } from "../../charts/runcurve.js";
import { Segments } from "../../components/segments.js";
import { pathOf } from "./runs.js";

const HEIGHT = 360;
const USUAL = "validation_accuracy";

/** @type {[keyof Api.EpochView, string, string][]} field, title, unit */
const METRICS = [
  ["validation_accuracy", "Validation accuracy, %", "fraction"],
  ["train_accuracy", "Training accuracy, %", "fraction"],
  ["validation_loss", "Validation loss", "nats"],
  ["train_loss", "Training loss", "nats"],
  ["learning_rate", "Learning rate", ""],
];

/** @param {import("./runs.js").Shown} props */
export function Curves({ ids, runs, query, change }) {
  const known = new Map(runs.map((run) => [run.one.id, run]));
  const feeds = ids.map((id) =>
    useFeed(known.has(id) ? `${pathOf(id)}/metrics` : null, null, known.get(id)?.one.revision, mergeRows),
  );
  const [field, title, unit] = METRICS.find(([name]) => name === query.get("curve")) ?? METRICS[0];
  const x = query.get("x") === "seconds" ? "seconds" : "epoch";
  const isLog = query.get("loss") === "log";
  const frame = useMemo(() => ({ title, unit }), [title, unit]);
  const options = useMemo(() => ({ x, log: isLog, bands: false, seeds: false }), [x, isLog]);
  const groups = useMemo(
    () =>
      ids.flatMap((id, at) => {
        const run = known.get(id);
        const rows = feeds[at].data?.items;
        return run && rows ? [{ group: runCurve(rows, run.label, field), style: run.style }] : [];
      }),
    [runs, field, ...feeds.map(({ data }) => data)],
  );
  const isEmpty = groups.every(({ group }) => group.epochs.length === 0);
  const isLoaded = feeds.every(({ data }, at) => data || !known.has(ids[at]));
  return html`<section class="card stack" aria-labelledby="curves-title">
    <div class="card-head"><h2 id="curves-title">Learning curves</h2><div class="tools">
      <label class="inline">Figure <select
        onChange=${onText((name) => change({ curve: name === USUAL ? "" : name }))}>
        ${METRICS.map(
          ([name, text]) => html`<option value=${name} selected=${name === field}>${text.replace(", %", "")}</option>`,
        )}</select></label>
      <${Segments} label="Horizontal axis" value=${x}
        onChange=${(/** @type {string} */ name) => change({ x: name === "seconds" ? name : "" })} choices=${[
          ["epoch", "by epoch"],
          ["seconds", "by seconds"],
        ]} />
      <${Segments} label="Vertical axis" value=${isLog ? "log" : "linear"}
        disabled=${unit === "fraction" ? ["log"] : []}
        onChange=${(/** @type {string} */ kind) => change({ loss: kind === "log" ? kind : "" })} choices=${[
          ["linear", "linear"],
          ["log", "log"],
        ]} />
    </div></div>
    <figure><figcaption>${title}</figcaption>
      <div style=${{ position: "relative", minHeight: `${HEIGHT}px` }}>
        <${CurvesChart} curves=${frame} groups=${groups} options=${options} height=${HEIGHT} />
        ${isEmpty && html`<p class="over muted">${isLoaded ? "No epoch has ended yet." : "Loading …"}</p>`}
      </div></figure>
    <p class="small-text muted">A line is one run of one seed, n = 1, without an interval: lines that lie apart may do
      so by chance. Training accuracies are taken with dropout on.</p>
  </section>`;
}
