/**
 * Diagnostics of the layers: a heat map per measure, layers down, epochs along, from before the first step on.
 */
import { html, useMemo } from "../../core/html.js";
import { useQuery } from "../../core/navigation.js";
import { mergeRows } from "../../data/epochs.js";
import { useFeed } from "../../data/store.js";
import { plain } from "../../text/format.js";
import { CurvesChart } from "../../charts/curves.js";
import { HeatMap } from "../../charts/heatmap.js";
import { orderedStyle, useColours } from "../../charts/palette.js";
import { Loaded } from "../../components/notices.js";
import { Gradients } from "./gradients.js";
import { MEASURES } from "./measures.js";
import { TwoEpochs } from "./twoepochs.js";

/** @param {{one: Api.ExperimentView}} props */
export function Diagnostics({ one }) {
  const feed = useFeed(`/experiments/${one.id}/diagnostics`, null, one.revision, mergeRows);
  return html`<section class="card stack" aria-labelledby="inside-title">
    <div class="card-head"><h2 id="inside-title">Inside the network</h2>
      <span class="muted small-text">1,000 training images, dropout off; epoch 0 is before the first step; one run, n =
        1</span></div>
    <${Loaded} feed=${feed} what="the diagnostics">${(/** @type {Api.DiagnosticsView} */ { items }) =>
      items.length === 0
        ? html`<p class="muted">${one.finished_at ? "None were taken." : "The first are taken before the first step."}
          </p>`
        : html`<${Maps} items=${items} />`}<//>
  </section>`;
}

/** @param {{items: Api.LayerView[]}} props */
function Maps({ items }) {
  const [query, change] = useQuery();
  const frame = useMemo(() => {
    const layers = [...new Map(items.map(({ layer, position }) => [layer, position]))]
      .sort((a, b) => a[1] - b[1])
      .map(([layer]) => layer);
    return { layers, epochs: [...new Set(items.map(({ epoch }) => epoch))].sort((a, b) => a - b) };
  }, [items]);
  const measured = MEASURES.filter(([measure]) => items.some((row) => row[measure] !== null));
  const missing = MEASURES.filter((map) => !measured.includes(map)).map(([, title]) => title.toLowerCase());
  return html`<div class="maps">
    ${measured.map((map) => html`<${Measured} key=${map[0]} map=${map} items=${items} frame=${frame} />`)}</div>
    ${
      missing.length > 0 &&
      html`<p
      class="small-text muted">Not defined for this activation: ${missing.join(", ")}.</p>`
    }
    <${Learned} items=${items} />
    <${Gradients} items=${items} frame=${frame} />
    <${TwoEpochs} items=${items} frame=${frame} measures=${measured} query=${query} change=${change} />`;
}

/**
 * @param {{map: import("./measures.js").Measure, items: Api.LayerView[], frame: {layers: string[], epochs: number[]}}}
 *   props
 */
function Measured({ map: [measure, title, what, scale], items, frame }) {
  const cells = useMemo(
    () =>
      items.map(
        (row) =>
          /** @type {import("../../charts/heatmap.js").Cell} */ ([
            frame.epochs.indexOf(row.epoch),
            frame.layers.indexOf(row.layer),
            row[measure],
            title.toLowerCase(),
          ]),
      ),
    [items, measure, frame],
  );
  const bounds = useMemo(() => boundsOf(cells, scale), [cells, scale]);
  return html`<figure><figcaption>${title} <span class="muted small-text">${what}</span></figcaption>
    <${HeatMap} title=${title} layers=${frame.layers} epochs=${frame.epochs} cells=${cells} bounds=${bounds}
      log=${scale === "log"} /></figure>`;
}

/**
 * Shares on their whole scale, so that little looks like little; figures without one from least to most.
 * @param {import("../../charts/heatmap.js").Cell[]} cells
 * @param {string} scale
 * @returns {[number, number]}
 */
function boundsOf(cells, scale) {
  if (scale === "share") return [0, 1];
  const values = cells
    .flatMap(([, , value]) => value ?? [])
    .filter((value) => scale !== "log" || value > 0)
    .map((value) => (scale === "log" ? Math.log10(value) : value));
  return values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
}

/**
 * The activation's own parameters, where it learns some.
 * @param {{items: Api.LayerView[]}} props
 */
function Learned({ items }) {
  const { dark } = useColours();
  const names = [...new Set(items.flatMap((row) => Object.keys(row.parameters)))];
  if (names.length === 0) return null;
  return html`<div class="maps">${names.map((name) => {
    const layers = [...new Set(items.filter((row) => name in row.parameters).map(({ layer }) => layer))];
    const groups = layers.map((layer, index) => ({
      group: learnedGroup(items, layer, name),
      style: orderedStyle(index, dark),
    }));
    const last = groups.map(({ group }) => `${group.factors.activation} ${plain(group.mean.at(-1), 3)}`).join(", ");
    return html`<figure key=${name}><figcaption>Learned ${name} <span class="muted small-text">now ${last}</span>
      </figcaption>
      <${CurvesChart} curves=${{ title: `Learned ${name}`, unit: "" }} groups=${groups}
        options=${{ x: "epoch", log: false, bands: false, seeds: false }} height=${220} /></figure>`;
  })}</div>`;
}

/**
 * @param {Api.LayerView[]} items
 * @param {string} layer
 * @param {string} name
 */
function learnedGroup(items, layer, name) {
  const rows = items.filter((row) => row.layer === layer);
  const none = rows.map(() => null);
  return {
    factors: { activation: layer },
    epochs: rows.map(({ epoch }) => epoch),
    mean: rows.map((row) => row.parameters[name]),
    low: none,
    high: none,
    n: rows.map(() => 1),
    seconds: null,
    seeds: null,
  };
}
