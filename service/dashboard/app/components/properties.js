/** The computed properties of a function, in words. */
import { html } from "../core/html.js";
import { NONE, plain } from "../text/format.js";

/** @type {Record<string, string>} */
// prettier-ignore
const MONOTONIC = {
  constant: "constant", non_decreasing: "never falls", non_increasing: "never rises", neither: "no: it falls and rises",
};

/** @param {{properties: Api.Properties}} props `Properties` of the API; null where it could not be said. */
export function Properties({ properties: p }) {
  if (p.defined === null)
    return html`<p class="muted">It works on a whole row of units at once, so that it has no graph.</p>`;
  /** @param {boolean | null} value */
  const yes = (value) => (value === null ? NONE : value ? "yes" : "no");
  const rows = [
    ["Defined", p.defined ? "everywhere" : "not for every x"],
    ["Range", rangeOf(p)],
    ["Monotonic", MONOTONIC[p.monotonic ?? ""] ?? NONE],
    ["At 0", `f = ${plain(p.value_at_0)}, slope ${p.slope_at_0 === null ? "undefined" : plain(p.slope_at_0)}`],
    ["Differentiable at 0", yes(p.differentiable_at_0)],
    ["Largest slope", p.largest_slope === null ? "unbounded" : plain(p.largest_slope)],
    [
      "Zero-centred",
      p.zero_centred ? "yes" : `${yes(p.zero_centred)}; mean ${plain(p.mean_of_normal)} for inputs from N(0, 1)`,
    ],
    ["f(x) ≈ x near 0", yes(p.near_identity)],
    ["Saturates", p.saturating_sides?.length ? `on the ${p.saturating_sides.join(" and the ")}` : "nowhere"],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

/** @param {Api.Properties} of */
function rangeOf({ range, bounded }) {
  if (!range) return NONE;
  const [low, high] = range;
  const text = `${low === null ? "\u2212∞" : plain(low)} to ${high === null ? "∞" : plain(high)}`;
  return bounded ? `${text} (bounded)` : text;
}
