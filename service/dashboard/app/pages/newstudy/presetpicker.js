/** Where a new study starts: from a choice of one's own, or from a preset that the server has. */
import { html } from "../../core/html.js";
import { usePresets } from "./presets.js";

/** @param {{value: string, onChange: (preset: string) => void}} props "" is no preset */
export function PresetPicker({ value, onChange }) {
  const presets = usePresets();
  const options = [
    { name: "", title: "Your own choice", text: "Functions, data, epochs, batch sizes, dropout: what you like." },
    ...presets,
  ];
  return html`<fieldset class="presets"><legend class="visually-hidden">Start from</legend>
    ${options.map(
      (one) => html`<label class=${`preset ${value === one.name ? "on" : ""}`} key=${one.name}>
      <input type="radio" name="preset" checked=${value === one.name} onChange=${() => onChange(one.name)} />
      <span><strong>${one.title}</strong><span class="small-text muted">${one.text}</span></span>
    </label>`,
    )}
  </fieldset>`;
}
