/** The main effect of each factor, all on one scale. */
import { html } from "../../core/html.js";
import { counted, difference, figure, range } from "../../text/format.js";
import { factorName, valueText } from "../../text/labels.js";
import { activationStyle, useColours } from "../../charts/palette.js";
import { scaleOf, Strip } from "../../charts/strip.js";

/** @param {{comparison: Api.Comparison}} props */
export function Effects({ comparison }) {
  const { unit, title } = comparison.family;
  const colours = useColours();
  const scale = scaleOf(
    comparison.effects.flatMap((effect) => effect.levels.flatMap((level) => [level.mean, ...(level.interval ?? [])])),
  );
  return html`<section class="card stack" aria-labelledby="effects-title">
    <div class="card-head"><h2 id="effects-title">Main effects</h2><span class="muted small-text">
      ${title}, averaged over the other factors; bar: 95 % over seeds</span></div>
    <div class="effects">${comparison.effects.map(
      (effect) => html`<${Effect} key=${effect.factor} effect=${effect}
      scale=${scale} unit=${unit} colours=${colours} />`,
    )}</div>
  </section>`;
}

/** @param {{effect: Api.Effect, scale: import("../../charts/strip.js").Scale, unit: string, colours: Colours}} props */
function Effect({ effect, scale, unit, colours }) {
  /** @param {Api.Level} level */
  const colour = (level) =>
    effect.factor === "activation" ? activationStyle(level.value, colours.dark).color : colours.ink;
  const [low, high] = effect.range_interval ?? [];
  const interval = effect.range_interval && `, ${difference(low, unit)} to ${difference(high, unit)}`;
  return html`<div>
    <h3>${factorName(effect.factor)}</h3>
    ${
      effect.reason
        ? html`<p class="muted">${effect.reason}</p>`
        : html`<p class="small-text">Best minus
          worst ${difference(effect.range, unit)}${interval}
          <span class="muted">; ${counted(effect.n, "seed")}, ${counted(effect.combinations, "combination")}${leftOut(
            effect,
          )}</span></p>
        <div class="scroll" tabindex="0" role="region" aria-label=${`Levels of ${factorName(effect.factor)}`}>
          <table class="plain-table"><tbody>${effect.levels.map(
            (level) => html`<tr>
          <th scope="row">${valueText(level.value)}</th><td class="number">${figure(level.mean, unit)}</td>
          <td class="strip-cell"><${Strip} scale=${scale} mean=${level.mean} interval=${level.interval}
            color=${colour(level)} unit=${unit} /></td>
          <td class="number muted small-text">${level.interval ? range(level.interval, unit) : "needs 2 seeds"}</td>
        </tr>`,
          )}</tbody></table></div>`
    }
  </div>`;
}

/** @param {Api.Effect} of */
function leftOut({ n_left_out: seeds, n_combinations_left_out: combinations }) {
  const parts = [
    ...(seeds ? [counted(seeds, "seed")] : []),
    ...(combinations ? [counted(combinations, "combination")] : []),
  ];
  return parts.length ? ` (${parts.join(" and ")} left out: not complete)` : "";
}
