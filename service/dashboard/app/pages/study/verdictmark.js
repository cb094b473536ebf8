/** Verdicts as signs and words. Only what was decided has a colour. */
import { html } from "../../core/html.js";

/** @type {Record<string, string>} */
export const SIGNS = {
  better: "▲",
  worse: "▼",
  equivalent: "=",
  undecided: "·",
  "undecided (diverged)": "d",
  "not tested": "",
};
/** @type {Record<string, string>} */
export const KINDS = { better: "better", worse: "worse", equivalent: "equivalent" };

/**
 * A verdict with its sign; without one, the group is the reference.
 * @param {{verdict: string | undefined}} props
 */
export function Verdict({ verdict }) {
  if (verdict === undefined) return html`<span class="muted">reference</span>`;
  return html`<span class=${KINDS[verdict] ?? "muted"}>${SIGNS[verdict]} ${verdict}</span>`;
}
