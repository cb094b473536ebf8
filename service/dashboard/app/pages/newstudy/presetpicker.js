/** A choice of the start of a new study: from nothing, or from one of the API's presets. */
import { html } from "../../core/html.js";
import { choicesOf } from "../../core/spec.js";

/** @type {Record<string, string>} */
const TEXTS = {
  quick: "The article’s five functions on 4,000 images, three epochs, five seeds: a first look.",
  "kizrak-2019": "The article’s own comparison: five functions, full MNIST, 20 epochs.",
  claims: "What it takes to decide the articles’ claims. Long.",
};

const OPTIONS = [
  { name: "", title: "Your own choice", text: "Functions, data, epochs, batch sizes, dropout: what you like." },
  ...choicesOf("preset").map((name) => ({ name, title: name, text: TEXTS[name] ?? "" })),
];

/** @param {{value: string, onChange: (preset: string) => void}} props "" is no preset */
export function PresetPicker({ value, onChange }) {
  return html`<fieldset class="presets"><legend class="visually-hidden">Start from</legend>
    ${OPTIONS.map(
      (one) => html`<label class=${`preset ${value === one.name ? "on" : ""}`} key=${one.name}>
      <input type="radio" name="preset" checked=${value === one.name} onChange=${() => onChange(one.name)} />
      <span><strong>${one.title}</strong><span class="small-text muted">${one.text}</span></span>
    </label>`,
    )}
  </fieldset>`;
}
