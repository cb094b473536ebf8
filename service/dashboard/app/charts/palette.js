/** One colour and one symbol per activation, the same on every page and in reports: palette.json has them. Its hues are
 * those of Okabe and Ito (2008), darkened or lightened until a line has a contrast of 3:1 on its ground; where two
 * functions share a hue, the symbol differs. */
import { useEffect, useState } from "../core/html.js";
import { groupKey } from "../text/labels.js";
import palette from "./palette.json" with { type: "json" };

/** The names of the activations that have a colour of their own. */
export const KNOWN_ACTIVATIONS = Object.keys(palette.activations);

const HUES = /** @type {Hue[]} */ (Object.keys(palette.hues));
const MARKS = palette.symbols;

/** @typedef {keyof typeof palette.hues} Hue */

/** @type {Record<string, {hue: Hue, symbol: string}>} */
const ACTIVATIONS = /** @type {any} */ (palette.activations);

/**
 * The style of an activation.
 * @param {unknown} label its name, or the formula
 * @param {boolean} dark whether the ground is
 * @returns {LineStyle}
 */
export function activationStyle(label, dark) {
  const { hue, symbol } = ACTIVATIONS[nameOf(label)] ?? hashed(label);
  return { color: colorOf(hue, dark), symbol };
}

/**
 * The style of the n-th group where groups are no activations.
 * @param {number} index
 * @param {boolean} dark
 */
export function orderedStyle(index, dark) {
  const { hue, symbol } = nth(index);
  return { color: colorOf(hue, dark), symbol };
}

/**
 * @param {Hue} hue
 * @param {boolean} dark
 */
const colorOf = (hue, dark) => palette.hues[hue][dark ? "dark" : "light"];

/**
 * The n-th pair of a hue and a symbol, when all hues have a symbol before the next symbol is taken.
 * @param {number} n
 */
const nth = (n) => ({ hue: HUES[n % HUES.length], symbol: MARKS[Math.floor(n / HUES.length) % MARKS.length] });

const DASHES = [undefined, [7, 3], [2, 3], [9, 3, 2, 3], [4, 2]];

/**
 * The styles of groups in one picture: those of their activations, dashed where several share one.
 * @param {Factors[]} factors of each group
 * @param {boolean} dark whether the ground is
 * @returns {Map<string, LineStyle>} by groupKey
 */
export function groupStyles(factors, dark) {
  const seen = new Map();
  const isSingle = new Set(factors.map(({ activation }) => activation)).size < 2 && factors.length > 1;
  // prettier-ignore
  return new Map(factors.map((group, index) => {
    if (group.activation === undefined || isSingle) return [groupKey(group), orderedStyle(index, dark)];
    const before = seen.get(group.activation) ?? 0;
    seen.set(group.activation, before + 1);
    return [groupKey(group), { ...activationStyle(group.activation, dark), dash: DASHES[before % DASHES.length] }];
  }));
}

/**
 * `swish(beta=1.5)` is drawn as swish.
 * @param {unknown} label
 */
const nameOf = (label) => String(label).split("(")[0].trim();

/**
 * The same formula has the same style on every page and every day.
 * @param {unknown} text
 */
function hashed(text) {
  let sum = 2166136261;
  for (const letter of String(text)) sum = Math.imul(sum ^ Number(letter.codePointAt(0)), 16777619) >>> 0;
  return nth(sum);
}

/** A ramp in even steps of lightness, light for little, after cividis, which colour-blind eyes see alike. */
export const RAMP = ["#f3ead0", "#d9c878", "#a59c74", "#7b7b78", "#4c556c", "#14315c"];
const STOPS = RAMP.map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
const LINES = [0.4, 1]; // of the ramp, for lines on a light ground: its lightest would not be seen
const LINES_ON_DARK = [0, 0.7];

/**
 * The ramp's colour at a share of its length; with `dark`, for a line on a ground that is dark or not.
 * @param {number} share from 0 to 1
 * @param {boolean} [dark]
 */
export function rampColor(share, dark) {
  const [first, last] = dark === undefined ? [0, 1] : dark ? LINES_ON_DARK : LINES;
  const whole = first + Math.min(1, Math.max(0, share)) * (last - first);
  const at = whole * (STOPS.length - 1);
  const [from, to] = [STOPS[Math.floor(at)], STOPS[Math.ceil(at)]];
  return `rgb(${from.map((part, index) => Math.round(part + (at % 1) * (to[index] - part))).join(" ")})`;
}

const TOKENS = ["ink", "muted", "line", "paper", "surface", "accent", "good", "bad", "warn"];

/** The page's colours as the canvas needs them, and whether the ground is dark; follows the theme. */
export function useColours() {
  const [colours, setColours] = useState(read);
  useEffect(() => {
    const update = () => setColours(read());
    document.documentElement.addEventListener("themechange", update);
    return () => document.documentElement.removeEventListener("themechange", update);
  }, []);
  return colours;
}

function read() {
  const style = getComputedStyle(document.documentElement);
  const values = TOKENS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return { ...Object.fromEntries(values), dark: window.actlabTheme.isDark() };
}
