/**
 * One row of a strip plot: every seed as a dot, the interval as a bar, the mean as a tick, on a scale that rows share.
 */
import { html } from "../core/html.js";
import { figure, range } from "../text/format.js";

/** @typedef {{low: number | null, high: number | null, at: (value: number) => number}} Scale */

/**
 * The common scale of rows, with a margin; one value alone gets a scale around it.
 * @param {(number | null | undefined)[]} values
 * @returns {Scale}
 */
export function scaleOf(values) {
  const finite = values.filter((value) => value !== null && value !== undefined);
  if (finite.length === 0) return { low: null, high: null, at: () => 50 };
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const air = most > least ? 0.04 * (most - least) : Math.abs(most) * 0.01 || 0.5;
  const [low, high] = [least - air, most + air];
  return { low, high, at: (/** @type {number} */ value) => (100 * (value - low)) / (high - low) };
}

/**
 * @param {{scale: any, mean: number|null, interval: [number, number]|null, seeds?: Record<string, number>,
 *   color: string, unit: string}} props */
export function Strip({ scale, mean, interval, seeds = {}, color, unit }) {
  if (mean === null) return html`<svg class="strip" aria-hidden="true"></svg>`;
  /** @param {number} value */
  const x = (value) => `${scale.at(value).toFixed(2)}%`;
  const label = `mean ${figure(mean, unit)}${interval ? `, 95 % interval ${range(interval, unit)}` : ""}`;
  return html`<svg class="strip" role="img" aria-label=${label}>
    <title>${label}</title>
    ${
      interval &&
      html`<rect x=${x(interval[0])}
      width=${`${(scale.at(interval[1]) - scale.at(interval[0])).toFixed(2)}%`} y="25%" height="50%" rx="2"
        fill=${color} opacity="0.22" />`
    }
    ${Object.entries(seeds).map(
      ([seed, value]) => html`<circle key=${seed} cx=${x(value)} cy="50%" r="3.2"
      fill=${color} fill-opacity="0.75"><title>${`seed ${seed}: ${figure(value, unit)}`}</title></circle>`,
    )}
    <line x1=${x(mean)} x2=${x(mean)} y1="12%" y2="88%" stroke=${color} stroke-width="2" />
  </svg>`;
}
