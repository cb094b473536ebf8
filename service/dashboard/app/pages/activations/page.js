/** The catalogue as small multiples, and a place to try a formula. */
import { onText } from "../../core/events.js";
import { html, useEffect, useMemo, useRef, useState } from "../../core/html.js";
import { useTitle } from "../../core/navigation.js";
import { useFeed } from "../../data/store.js";
import { counted } from "../../text/format.js";
import { FunctionPlot } from "../../charts/functionplot.js";
import { activationStyle, useColours } from "../../charts/palette.js";
import { Formula } from "../../components/formula.js";
import { FormulaEditor } from "../../components/formulaeditor.js";
import { Loaded } from "../../components/notices.js";
import { Swatch } from "../../components/swatch.js";

export function Page() {
  useTitle("Activations");
  const catalogue = useFeed("/activations");
  return html`<div class="page-head">
      <div>
        <h1>Activations</h1>
        <p>Each function f (solid) with its derivative f′ (dashed), from −5 to 5.</p>
      </div>
    </div>
    <${Loaded} feed=${catalogue} what="the catalogue">
      ${(/** @type {{items: Api.ActivationView[]}} */ data) => html`<${Catalogue} items=${data.items} />`}<//>
    <${Workbench} />`;
}

/** @typedef {string} Trait */

/** @type {Record<Trait, [string, (item: Api.ActivationView) => boolean | null]>} */
const TRAITS = {
  article: ["named in the article", (item) => item.named_in_article],
  bounded: ["bounded", (item) => item.properties.bounded],
  monotonic: ["never falls", (item) => item.properties.monotonic === "non_decreasing"],
  centred: ["zero-centred", (item) => item.properties.zero_centred],
  learnable: ["can learn a parameter", (item) => item.parameters.some((parameter) => parameter.may_learn)],
};

/** @param {{items: Api.ActivationView[]}} props */
function Catalogue({ items }) {
  const [text, setText] = useState("");
  const [traits, setTraits] = useState(/** @type {Trait[]} */ ([]));
  const shown = useMemo(() => {
    const words = text.trim().toLowerCase();
    /** @param {Api.ActivationView} item */
    const fits = (item) => `${item.name} ${item.title} ${item.formula}`.toLowerCase().includes(words);
    return items.filter((item) => fits(item) && traits.every((trait) => TRAITS[trait][1](item)));
  }, [items, text, traits]);
  /** @param {Trait} trait */
  const toggle = (trait) =>
    setTraits((old) => (old.includes(trait) ? old.filter((one) => one !== trait) : [...old, trait]));
  return html`<div class="filters">
      <input type="search" aria-label="Search by name or formula" placeholder="Search by name or formula" value=${text}
        onInput=${onText(setText)} />
      ${Object.entries(TRAITS).map(
        ([trait, [label]]) => html`<label class="check"><input type="checkbox" checked=${traits.includes(trait)}
          onChange=${() => toggle(trait)} /> ${label}</label>`,
      )}
      <span class="muted" role="status">${counted(shown.length, "function")}</span>
    </div>
    ${shown.length === 0 && html`<p>None fits. Take a filter away, or write it as a formula below.</p>`}
    <div class="gallery">${shown.map((item) => html`<${Multiple} key=${item.name} item=${item} />`)}</div>`;
}

/** @param {{item: Api.ActivationView}} props */
function Multiple({ item }) {
  const { dark } = useColours();
  const [place, isSeen] = useSeen();
  const curve = useFeed(isSeen ? `/activations/${item.name}/curve?from=-5&to=5&points=101` : null);
  const style = activationStyle(item.name, dark);
  const hasGraph = item.properties.defined !== null;
  return html`<a class="card" href=${`/activations/${item.name}`} ref=${place}>
    <h3>${item.title} <${Swatch} style=${style} /></h3>
    <div style=${{ height: "130px" }}>
      ${
        hasGraph &&
        curve.data &&
        html`<${FunctionPlot} curve=${curve.data} color=${style.color} title=${item.title}
        height=${130} small />`
      }
      ${!hasGraph && html`<p class="muted small-text">Works on a whole row of units at once: it has no graph.</p>`}
    </div>
    <div class="formula"><${Formula} latex=${item.latex} text=${item.formula} /></div>
  </a>`;
}

/** Become true once an element has come near the window. */
function useSeen() {
  const place = useRef(/** @type {any} */ (null));
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          setSeen(true);
          observer.disconnect();
        }
      },
      { rootMargin: "300px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return [place, isSeen];
}

function Workbench() {
  const [valid, setValid] = useState(/** @type {any} */ (null));
  const [value, setValue] = useState({
    formula: "x * tanh(softplus(a * x))",
    parameters: { a: { value: 1, learnable: false } },
  });
  return html`<section class="card" id="formula" aria-labelledby="formula-title" style=${{ marginTop: "1.5rem" }}>
    <div class="card-head">
      <h2 id="formula-title">Try your own</h2>
      <span class="muted small-text">A formula is data: nothing is stored or run until you put it into a study.</span>
    </div>
    <${FormulaEditor} value=${value} onChange=${setValue} onJudged=${setValid} />
    <div style=${{ minHeight: "2.25rem", marginTop: "0.75rem" }}>
      ${
        valid &&
        html`<a class="button"
        href=${`/studies/new?${new URLSearchParams({ activation: "relu", formula: JSON.stringify(value) })}`}>Compare it
          with ReLU</a>`
      }</div>
  </section>`;
}
