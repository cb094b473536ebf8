/** Numbers and times as people read them. A missing figure is an en dash, never a zero. */

export const NONE = "–";

/** @type {[number, string][]} seconds of each unit of time, the longest first */
const UNITS = [
  [86_400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/**
 * A fraction as a percentage: 0.96134 -> "96.13 %".
 * @param {number | null | undefined} fraction
 * @param {number} [digits]
 */
export function percent(fraction, digits = 2) {
  return fraction === null || fraction === undefined ? NONE : `${(100 * fraction).toFixed(digits)}\u202f%`;
}

/**
 * A figure of a metric in its own unit.
 * @param {number | null | undefined} value
 * @param {string} unit of the metric: fraction, nats, s or another
 */
export function figure(value, unit) {
  if (value === null || value === undefined) return NONE;
  if (unit === "fraction") return percent(value);
  return unit === "s" ? duration(value) : plain(value, 4);
}

/**
 * A difference, with its sign; fractions as percentage points.
 * @param {number | null | undefined} value
 * @param {string} unit
 */
export function difference(value, unit) {
  if (value === null || value === undefined) return NONE;
  const sign = value > 0 ? "+" : value < 0 ? "\u2212" : "±";
  const size = Math.abs(value);
  if (unit === "fraction") return `${sign}${(100 * size).toFixed(2)}\u202fpp`;
  return sign + (unit === "s" ? duration(size) : plain(size, 4));
}

/**
 * The margin of a family: "0.5 pp" of accuracies, "5 %" of another figure.
 * @param {Api.Family} family
 */
export function marginText({ margin, relative_margin: isRelative }) {
  return margin === null ? NONE : `${plain(100 * margin, 4)}\u202f${isRelative ? "%" : "pp"}`;
}

/**
 * [low, high] in one unit: "95.30 to 97.10 %".
 * @param {[number, number] | null | undefined} interval
 * @param {string} unit
 */
export function range(interval, unit) {
  if (!interval) return NONE;
  const [low, high] = interval;
  if (unit === "fraction") return `${(100 * low).toFixed(2)} to ${percent(high)}`;
  return `${figure(low, unit)} to ${figure(high, unit)}`;
}

/**
 * A number with `digits` significant digits, without an exponent where that is readable.
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function plain(value, digits = 4) {
  if (value === null || value === undefined) return NONE;
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6)) return value.toExponential(digits - 2);
  return String(Number(value.toPrecision(digits))).replace("-", "\u2212");
}

/**
 * A p value, never as 0.
 * @param {number | null | undefined} p
 */
export function pValue(p) {
  if (p === null || p === undefined) return NONE;
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

const COUNTS = new Intl.NumberFormat("en-GB"); // made once: making one costs more than a hundred uses
/** @param {number} n */
export const count = (n) => COUNTS.format(n).replaceAll(",", "\u202f");

/**
 * A number with its noun: "1 experiment", "6 experiments".
 * @param {number} n
 * @param {string} noun
 */
export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/**
 * Seconds -> "42 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
 * @param {number | null | undefined} seconds
 */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NONE;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const first = UNITS.findIndex(([size]) => whole >= size);
  const parts = UNITS.slice(first, first + 2).map(([size, unit], index) => {
    const amount = index === 0 ? Math.floor(whole / size) : Math.floor((whole % UNITS[first][0]) / size);
    return amount > 0 ? `${amount} ${unit}` : "";
  });
  return parts.filter(Boolean).join(" ");
}

/**
 * The time since an ISO date: "just now", "4 min ago", "2 h ago".
 * @param {string} iso
 * @param {number} [now]
 */
export function ago(iso, now = Date.now()) {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 5) return "just now";
  const [size, unit] = UNITS.find(([least]) => seconds >= least) ?? UNITS[UNITS.length - 1];
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

/**
 * The time of day, with the date where it is not today's.
 * @param {string | number} time
 */
export function clock(time) {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date().toDateString();
  const hours = date.toLocaleTimeString("en-GB");
  return isToday
    ? hours
    : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" })}, ${hours}`;
}

/**
 * Bytes -> "31.2 GiB".
 * @param {number | null | undefined} amount
 */
export function bytes(amount) {
  if (amount === null || amount === undefined) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, amount)) / 10));
  return `${Number((amount / 1024 ** power).toPrecision(3))} ${units[power]}`;
}
