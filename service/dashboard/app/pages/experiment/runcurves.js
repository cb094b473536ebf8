/** The learning curves of one run. */
import { html, useMemo, useState } from "../../core/html.js";
import { useEpochs } from "../../data/epochs.js";
import { runCurve } from "../../charts/runcurve.js";
import { CurvesChart } from "../../charts/curves.js";
import { activationStyle, useColours } from "../../charts/palette.js";
import { Loaded } from "../../components/notices.js";
import { Segments } from "../../components/segments.js";
import { Swatch } from "../../components/swatch.js";

const HEIGHT = 260;
const PANELS = [
  [
    "Accuracy, %",
    "fraction",
    [
      ["training", "train_accuracy"],
      ["validation", "validation_accuracy"],
    ],
  ],
  [
    "Loss (cross-entropy)",
    "nats",
    [
      ["training", "train_loss"],
      ["validation", "validation_loss"],
    ],
  ],
  ["Learning rate", "", [["learning rate", "learning_rate"]]],
];

/** @param {{one: Api.ExperimentView}} props */
export function RunCurves({ one }) {
  const [options, setOptions] = useState({ x: "epoch", log: false, bands: false, seeds: false });
  const { dark } = useColours();
  const validation = activationStyle(one.activation_label, dark);
  const training = { color: validation.color, symbol: "circle", dash: [2, 3] };
  const epochs = useEpochs(one);
  return html`<section class="card stack" aria-labelledby="run-title">
    <div class="card-head"><h2 id="run-title">Learning curves</h2><div class="tools">
      <${Segments} label="Horizontal axis" value=${options.x} 
        onChange=${(/** @type {string} */ x) => setOptions({ ...options, x })}
        choices=${[
          ["epoch", "by epoch"],
          ["seconds", "by seconds"],
        ]} />
      <${Segments} label="Axis of the loss" value=${options.log ? "log" : "linear"}
        onChange=${(/** @type {string} */ kind) => setOptions({ ...options, log: kind === "log" })} choices=${[
          ["linear", "linear"],
          ["log", "log"],
        ]} />
      <span class="named small-text"><${Swatch} style=${validation} />validation</span>
      <span class="named small-text"><${Swatch} style=${training} />training (dropout on)</span>
    </div></div>
    <${Loaded} feed=${epochs} what="the figures">${(/** @type {Api.MetricsView} */ { items }) =>
      html`<div class="panels three">${PANELS.map(
        ([title, unit, lines]) => html`<figure key=${title}><figcaption>${title}</figcaption>
        <${Panel} items=${items} title=${title} unit=${unit} lines=${lines}
          styles=${{ training, validation, "learning rate": validation }} options=${options} /></figure>`,
      )}</div>`}<//>
    <p class="small-text muted">n = 1: one run of one seed, without an interval.${nonFinite(epochs.data)}</p>
  </section>`;
}

/**
 * @param {{items: Api.EpochView[], title: string, unit: string, lines: [string, keyof Api.EpochView][], styles:
 *   Record<string, LineStyle>, options: CurveOptions}} props
 */
function Panel({ items, title, unit, lines, styles, options }) {
  const curves = useMemo(() => ({ title, unit }), [title, unit]);
  const groups = useMemo(
    () => lines.map(([name, field]) => ({ group: runCurve(items, name, field), style: styles[name] })),
    [items, styles.validation.color],
  );
  return html`<div style=${{ position: "relative", minHeight: `${HEIGHT}px` }}>
    <${CurvesChart} curves=${curves} groups=${groups} options=${options} height=${HEIGHT} />
    ${items.length === 0 && html`<p class="over muted">The first epoch has not ended yet.</p>`}
  </div>`;
}

/** @param {Api.MetricsView | undefined} metrics */
function nonFinite(metrics) {
  const broken = (metrics?.items ?? []).filter((row) => row.non_finite.length > 0);
  const names = [...new Set(broken.flatMap((row) => row.non_finite))];
  return broken.length ? ` Infinite or NaN: ${names.join(", ")}, from epoch ${broken[0].epoch} on.` : "";
}
