/** Fields for tuning the learning rate of each combination before a new study compares them. */
import { onCheck, onText } from "../../core/events.js";
import { html } from "../../core/html.js";
import { Field } from "../../components/field.js";

/**
 * @param {{tuning: {isOn: boolean, rates: string, seeds: string}, change: (changes: object) => void, about: Function}}
 *   props
 */
export function TuningFields({ tuning, change, about }) {
  /** @param {"rates" | "seeds"} name */
  const input =
    (name) =>
    (/** @type {object} */ attributes) => html`<input ...${attributes} value=${tuning[name]} autocomplete="off"
    onInput=${onText((text) => change({ [name]: text }))} />`;
  return html`<section class="card stack">
    <h2>Learning rate</h2>
    <label class="check"><input type="checkbox" checked=${tuning.isOn}
      onChange=${onCheck((isOn) => change({ isOn: isOn }))} />
      <span>Tune it for each combination before they are compared</span></label>
    <p class="small-text muted">At one shared rate some functions are favoured. Each of these rates is tried first, over
      seeds of its own, and judged
      on validation images; then the best of them trains the seeds above.</p>
    ${
      tuning.isOn &&
      html`<div class="fields wide">
      <${Field} label="Rates to try" errors=${about("tuning/rates")} hint="two or more">${input("rates")}<//>
      <${Field} label="Seeds to try them with" errors=${about("tuning/seeds")} hint="none of those above">
        ${input("seeds")}<//>
    </div>`
    }
  </section>`;
}
