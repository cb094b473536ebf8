/** The page of one function: formula, properties, advice, and its graph at any value of its parameters. */
import { onNumber } from "../../core/events.js";
import { html, useEffect, useState } from "../../core/html.js";
import { useTitle } from "../../core/navigation.js";
import { useFeed } from "../../data/store.js";
import { plain } from "../../text/format.js";
import { FunctionPlot } from "../../charts/functionplot.js";
import { activationStyle, useColours } from "../../charts/palette.js";
import { Formula } from "../../components/formula.js";
import { Loaded } from "../../components/notices.js";
import { Properties } from "../../components/properties.js";
import { Swatch } from "../../components/swatch.js";

const WIDEST = 10; // how far a slider goes where the bounds are far apart

/** @param {{name: string}} props */
export function Page({ name }) {
  useTitle(name);
  const activation = useFeed(`/activations/${encodeURIComponent(name)}`);
  return html`<p class="crumb"><a href="/activations">Activations</a></p>
    <${Loaded} feed=${activation}>
      ${(/** @type {Api.ActivationView} */ data) => html`<${Activation} item=${data} />`}<//>`;
}

/** @param {{item: Api.ActivationView}} props */
function Activation({ item }) {
  const { dark } = useColours();
  const [values, setValues] = useState(() =>
    Object.fromEntries(item.parameters.map(({ name, default: value }) => [name, value])),
  );
  const style = activationStyle(item.name, dark);
  const compared = new URLSearchParams([...new Set(["relu", item.name])].map((name) => ["activation", name]));
  return html`<div class="page-head">
      <div>
        <h1 class="named">${item.title} <${Swatch} style=${style} /></h1>
        <p><code>${item.name}</code>${item.named_in_article && ", named in the article"}</p>
      </div>
      <a class="button"
        href=${`/studies/new?${compared}`}>
        ${item.name === "relu" ? "Put it into a study" : "Compare it with ReLU"}</a>
    </div>
    <div class="columns">
      <div class="card stack">
        <${Graph} item=${item} values=${values} color=${style.color} />
        ${item.parameters.map(
          (parameter) => html`<${Slider} key=${parameter.name} parameter=${parameter} value=${values[parameter.name]}
          onChange=${(/** @type {number} */ value) => setValues({ ...values, [parameter.name]: value })} />`,
        )}
      </div>
      <div class="stack">
        <section class="card">
          <h2>Formula</h2>
          <${Formula} latex=${`f(x) = ${item.latex}`} text=${item.formula} display />
          <p><code>${item.formula}</code></p>
          <h2 style=${{ marginTop: "1rem" }}>Derivative</h2>
          ${
            item.derivative_latex
              ? html`<${Formula} latex=${`f'(x) = ${item.derivative_latex}`} text=${item.derivative} display />`
              : html`<p class="muted">A Jacobian, not one number: each output depends on every input of its row.</p>`
          }
        </section>
        <section class="card">
          <h2>Advice</h2>
          ${
            item.advice
              ? html`<p>${item.advice.text}</p><p class="small-text muted">${item.advice.source}</p>`
              : html`<p class="muted">The articles give none for this function.</p>`
          }
          ${item.note && html`<p>${item.note}</p>`}
          <dl><dt>Initialisation</dt><dd>${item.recommended_initialisation.name}
            <div class="small-text muted">${item.recommended_initialisation.source}</div></dd></dl>
        </section>
        <section class="card">
          <h2>Properties</h2>
          ${item.parameters.length > 0 && html`<p class="small-text muted">Computed at the default parameters.</p>`}
          <${Properties} properties=${item.properties} />
        </section>
      </div>
    </div>`;
}

/** @param {{item: Api.ActivationView, values: Record<string, number>, color: string}} props */
function Graph({ item, values, color }) {
  const isDefault = item.parameters.every((parameter) => values[parameter.name] === parameter.default);
  const query = isDefault ? "" : `&parameters=${encodeURIComponent(JSON.stringify(values))}`;
  const curve = useFeed(
    item.properties.defined === null ? null : `/activations/${item.name}/curve?from=-6&to=6&points=241${query}`,
  );
  const newest = useNewest(curve.data);
  if (item.properties.defined === null)
    return html`<p class="muted">It works on a whole row of units at once: it has no graph.</p>`;
  return html`<div style=${{ minHeight: "410px" }}>
    ${newest && html`<${FunctionPlot} curve=${newest} color=${color} title=${item.title} height=${380} />`}
    ${curve.error && html`<p class="wrong">${curve.error.message}</p>`}
    <p class="small-text muted">Solid: f. Dashed: f′, at a kink as training takes it.</p>
  </div>`;
}

/**
 * The last answer there was, so that the graph stays while the next one is on its way.
 * @param {Api.CurveView | undefined} data
 */
function useNewest(data) {
  const [newest, setNewest] = useState(data);
  useEffect(() => {
    if (data) setNewest(data);
  }, [data]);
  return data ?? newest;
}

/** @param {{parameter: Api.ParameterView, value: number, onChange: (value: number) => void}} props */
function Slider({ parameter, value, onChange }) {
  const low = Math.max(parameter.minimum, -WIDEST);
  const high = Math.min(parameter.maximum, WIDEST);
  return html`<div class="field">
    <label for=${`p-${parameter.name}`}><code>${parameter.name}</code> = ${plain(value, 3)}
      <span class="hint"> default ${plain(parameter.default)}${parameter.may_learn ? ", can be learnt" : ""}</span>
        </label>
    <input id=${`p-${parameter.name}`} type="range" min=${low} max=${high} step=${(high - low) / 200} value=${value}
      onInput=${onNumber(onChange)} />
  </div>`;
}
