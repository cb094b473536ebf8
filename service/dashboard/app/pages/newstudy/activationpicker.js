/** A choice of functions to compare: those of the catalogue, and formulas of the client's own. */
import { html, useState } from "../../core/html.js";
import { useFeed } from "../../data/store.js";
import { activationStyle, useColours } from "../../charts/palette.js";
import { Says } from "../../components/field.js";
import { FormulaEditor } from "../../components/formulaeditor.js";
import { Swatch } from "../../components/swatch.js";

/** @typedef {Pick<Api.ActivationView, "name" | "title" | "named_in_article">} CatalogueItem */

const START = { formula: "x * tanh(softplus(x))", parameters: {} };

/**
 * @param {{chosen: string[], formulas: FormulaChoice[], errors: Api.ProblemItem[], onChange: (chosen: string[],
 *   formulas: FormulaChoice[]) => void}} props
 */
export function ActivationPicker({ chosen, formulas, errors, onChange }) {
  const { data } = useFeed("/activations");
  /** @type {CatalogueItem[]} */
  const items = data?.items ?? chosen.map((name) => ({ name, title: name, named_in_article: true }));
  const first = items.filter((item) => item.named_in_article || chosen.includes(item.name));
  const others = items.filter((item) => !first.includes(item));
  /** @param {string} name */
  const toggle = (name) =>
    onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name], formulas);
  /** @param {CatalogueItem[]} list */
  const chips = (list) =>
    html`<div class="chips">${list.map(
      (item) => html`<${Chip} key=${item.name} item=${item}
    checked=${chosen.includes(item.name)} onChange=${() => toggle(item.name)} />`,
    )}</div>`;
  return html`<fieldset class="stack" aria-describedby="activation-say" style=${{ minHeight: data ? "" : "9rem" }}>
    <legend class="visually-hidden">Functions of the catalogue</legend>
      ${chips(first)}
      ${
        others.length > 0 &&
        html`<details><summary>${others.length} more functions</summary>${chips(others)}
        </details>`
      }
    </fieldset>
    <${Formulas} formulas=${formulas}
      onChange=${(/** @type {FormulaChoice[]} */ edited) => onChange(chosen, edited)} />
    <div id="activation-say" class="field">
      <${Says} errors=${errors} hint="one is enough to watch it train; two or more are compared" /></div>`;
}

/** @param {{item: CatalogueItem, checked: boolean, onChange: () => void}} props */
function Chip({ item, checked, onChange }) {
  const { dark } = useColours();
  return html`<label class=${`chip ${checked ? "on" : ""}`}>
    <input type="checkbox" checked=${checked} onChange=${onChange} />
    <${Swatch} style=${activationStyle(item.name, dark)} /><span>${item.name}</span>
  </label>`;
}

/** @param {{formulas: FormulaChoice[], onChange: (formulas: FormulaChoice[]) => void}} props */
function Formulas({ formulas, onChange }) {
  const [draft, setDraft] = useState(/** @type {any} */ (null));
  const [valid, setValid] = useState(/** @type {any} */ (null));
  const { dark } = useColours();
  const add = () => {
    onChange([...formulas.filter(({ formula }) => formula !== draft.formula), draft]);
    setDraft(null);
  };
  return html`<div class="stack">
    ${
      formulas.length > 0 &&
      html`<ul class="chips plain" aria-label="Formulas">${formulas.map(
        (one) => html`<li class="chip on" key=${one.formula}>
      <${Swatch} style=${activationStyle(one.formula, dark)} /><code>${one.formula}</code>
      <button type="button" class="small quiet" aria-label=${`Remove ${one.formula}`}
        onClick=${() => onChange(formulas.filter((other) => other !== one))}>×</button></li>`,
      )}</ul>`
    }
    ${
      draft === null
        ? html`<div><button type="button" onClick=${() => setDraft(START)}>Add a formula of your own</button></div>`
        : html`<div class="inset stack">
          <${FormulaEditor} value=${draft} onChange=${setDraft} onJudged=${setValid} compact />
          <div class="tools">
            <button type="button" disabled=${!valid} onClick=${add}>Add this formula</button>
            <button type="button" class="quiet" onClick=${() => setDraft(null)}>Cancel</button>
          </div></div>`
    }
  </div>`;
}
