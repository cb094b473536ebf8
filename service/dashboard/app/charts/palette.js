/** One colour and one symbol per activation, the same on every page. Hues after Okabe and Ito (2008), darkened or
 * lightened until a line has a contrast of 3:1 on its ground; where two functions share a hue, the symbol differs. */
import { useEffect, useState } from "../core/html.js";
import { groupKey } from "../text/labels.js";
import { SYMBOLS } from "./symbols.js";

/** [on light, on dark] */
const HUES = {
  blue: ["#0072b2", "#4ea9e6"],
  vermilion: ["#c9540a", "#ff8b45"],
  green: ["#00825c", "#2cc295"],
  amber: ["#a67300", "#e2ad2e"],
  magenta: ["#ad3f8c", "#e78cc8"],
  grey: ["#626a73", "#a7b0ba"],
  indigo: ["#5a50c8", "#9d96ff"],
  teal: ["#0b7a8a", "#48c3d6"],
  olive: ["#67750a", "#b4c244"],
  wine: ["#8f3b34", "#e48b80"],
};
const NAMES = Object.keys(HUES);
const MARKS = Object.keys(SYMBOLS);

// prettier-ignore
const OF_ACTIVATION = {
  relu: ["blue", 0], sigmoid: ["vermilion", 1], tanh: ["green", 2], leaky_relu: ["amber", 3], swish: ["magenta", 0],
  linear: ["grey", 1], softplus: ["teal", 2], step: ["wine", 1], softmax: ["olive", 3], gelu: ["indigo", 0],
  swish2: ["magenta", 2], silu: ["magenta", 3], mish: ["wine", 2], elu: ["teal", 0], selu: ["olive", 0],
  prelu: ["amber", 0], rrelu: ["amber", 1], relu6: ["blue", 1], relu_squared: ["blue", 2], celu: ["teal", 3],
  hard_sigmoid: ["vermilion", 2], hard_tanh: ["green", 1], softsign: ["green", 3], sine: ["indigo", 2],
  gelu_tanh: ["indigo", 3], hard_swish: ["magenta", 1], log_sigmoid: ["vermilion", 3], tanh_shrink: ["grey", 2],
  soft_shrink: ["grey", 3], hard_shrink: ["grey", 0],
};

/**
 * How an activation is drawn.
 * @param {string} label its name, or the formula
 * @returns {{color: string, symbol: string}}
 */
export function activationStyle(label, dark) {
  const [hue, symbol] = OF_ACTIVATION[nameOf(label)] ?? hashed(label);
  return { color: HUES[hue][dark ? 1 : 0], symbol: MARKS[symbol] };
}

/** The style of the n-th group where groups are no activations. */
export function orderedStyle(index, dark) {
  const hue = NAMES[index % NAMES.length];
  return { color: HUES[hue][dark ? 1 : 0], symbol: MARKS[Math.floor(index / NAMES.length) % MARKS.length] };
}

const DASHES = [undefined, [7, 3], [2, 3], [9, 3, 2, 3], [4, 2]];

/**
 * How the groups of a picture are drawn: by their activation, and dashed where several share one.
 * @param {Record<string, any>[]} factors of each group
 * @returns {Map<string, {color: string, symbol: string, dash?: number[]}>} by groupKey
 */
export function groupStyles(factors, dark) {
  const seen = new Map();
  const isSingle = new Set(factors.map(({ activation }) => activation)).size < 2 && factors.length > 1;
  // prettier-ignore
  return new Map(factors.map((each, index) => {
    if (each.activation === undefined || isSingle) return [groupKey(each), orderedStyle(index, dark)];
    const before = seen.get(each.activation) ?? 0;
    seen.set(each.activation, before + 1);
    return [groupKey(each), { ...activationStyle(each.activation, dark), dash: DASHES[before % DASHES.length] }];
  }));
}

/** `swish(beta=1.5)` is drawn as swish. */
const nameOf = (label) => String(label).split("(")[0].trim();

/** The same formula has the same style on every page and every day. */
function hashed(text) {
  let sum = 2166136261;
  for (const letter of String(text)) sum = Math.imul(sum ^ letter.codePointAt(0), 16777619) >>> 0;
  return [NAMES[sum % NAMES.length], Math.floor(sum / NAMES.length) % MARKS.length];
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
