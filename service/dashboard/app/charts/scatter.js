/** Points with an interval in both directions, and a line along those that no other one beats in both. */
import { html, useRef } from "../core/html.js";
import { evenly } from "./axes.js";
import { SYMBOLS } from "./symbols.js";
import { onPlace, useWidth } from "./width.js";

const HEIGHT = 320;
const [TOP, RIGHT, BOTTOM, LEFT] = [14, 16, 44, 52];
const WORD_PX = 6.5; // the width of a letter, about
const EVEN = evenly(4);

/**
 * @typedef {{key: string, label: string, x: number, y: number, xs: [number, number] | null,
 *   ys: [number, number] | null, style: LineStyle, isFirst: boolean}} Point `isFirst`: on the front
 * @typedef {{title: string, format: (value: number) => string}} Axis
 */

/**
 * @param {{points: Point[], across: Axis, up: Axis, chosen: string | null, onPoint: (key: string) => void,
 *   label: string}} props
 */
export function Scatter({ points, across, up, chosen, onPoint, label }) {
  const box = useRef(/** @type {any} */ (null));
  const width = useWidth(box);
  const x = scaleOf(points, ({ x: value, xs }) => [value, ...(xs ?? [])], LEFT, width - RIGHT);
  const y = scaleOf(points, ({ y: value, ys }) => [value, ...(ys ?? [])], HEIGHT - BOTTOM, TOP);
  /** @param {number} left @param {number} top */
  const point = (left, top) => {
    const [nearest] = [...points].sort(
      (a, b) => Math.hypot(x.at(a.x) - left, y.at(a.y) - top) - Math.hypot(x.at(b.x) - left, y.at(b.y) - top),
    );
    if (nearest) onPoint(nearest.key);
  };
  const front = points.filter(({ isFirst }) => isFirst).sort((a, b) => a.x - b.x);
  return html`<div class="drawing" ref=${box} style=${{ height: `${HEIGHT}px` }}>${
    width > 0 &&
    html`<svg width=${width} height=${HEIGHT} role="img" aria-label=${label} onPointerMove=${onPlace(point)}
      onPointerDown=${onPlace(point)}>
      ${y.ticks.map(
        (value) => html`<g key=${value}><line class="grid" x1=${LEFT} x2=${width - RIGHT} y1=${y.at(value)}
          y2=${y.at(value)} />
          <text x=${LEFT - 8} y=${y.at(value) + 4} text-anchor="end">${up.format(value)}</text></g>`,
      )}
      ${x.ticks.map(
        (value) => html`<text key=${value} x=${x.at(value)} y=${HEIGHT - BOTTOM + 18} text-anchor="middle">
          ${across.format(value)}</text>`,
      )}
      <text x=${(LEFT + width - RIGHT) / 2} y=${HEIGHT - 6} text-anchor="middle">${across.title}</text>
      ${front.length > 1 && html`<path class="front" d=${stepsOf(front, x.at, y.at)} />`}
      ${points.map(
        (one) => html`<g key=${one.key} opacity=${chosen && chosen !== one.key ? 0.55 : 1} stroke=${one.style.color}>
          ${one.xs && html`<line x1=${x.at(one.xs[0])} x2=${x.at(one.xs[1])} y1=${y.at(one.y)} y2=${y.at(one.y)} />`}
          ${one.ys && html`<line x1=${x.at(one.x)} x2=${x.at(one.x)} y1=${y.at(one.ys[0])} y2=${y.at(one.ys[1])} />`}
          <path d=${SYMBOLS[one.style.symbol]} fill=${one.style.color} stroke="none"
            transform=${`translate(${x.at(one.x)} ${y.at(one.y)}) scale(${chosen === one.key ? 1.9 : 1.3})`} /></g>`,
      )}
      ${labelled(front, x.at, y.at, width).map(
        ({ key, text, left, top }) => html`<text key=${key} class="named-point" x=${left} y=${top}>${text}</text>`,
      )}
    </svg>`
  }</div>`;
}

/**
 * @param {Point[]} points
 * @param {(point: Point) => number[]} valuesOf
 * @param {number} start pixel of the lowest figure
 * @param {number} end pixel of the highest
 */
function scaleOf(points, valuesOf, start, end) {
  const values = points.flatMap(valuesOf);
  const [low, high] = EVEN.range(null, values.length ? Math.min(...values) : null, Math.max(...values));
  return {
    at: (/** @type {number} */ value) => start + ((end - start) * (value - low)) / (high - low),
    ticks: EVEN.splits(null, 0, low, high),
  };
}

/**
 * The front in steps: up to the next point, no figure is known that is better.
 * @param {Point[]} front
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 */
const stepsOf = ([first, ...others], x, y) =>
  `M${x(first.x)} ${y(first.y)}${others.map((point) => `H${x(point.x)}V${y(point.y)}`).join("")}`;

/**
 * The names of points, but for those that would lie over one before or outside the picture.
 * @param {Point[]} points
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 * @param {number} width
 */
function labelled(points, x, y, width) {
  /** @type {{key: string, text: string, left: number, top: number}[]} */
  const placed = [];
  for (const { key, label, x: across, y: up } of points) {
    const long = WORD_PX * label.length;
    const right = x(across) + 9;
    const left = right + long > width ? x(across) - 9 - long : right;
    const top = y(up) - 8;
    const isFree = placed.every(
      (other) =>
        Math.abs(other.top - top) > 14 || left > other.left + WORD_PX * other.text.length || left + long < other.left,
    );
    if (left > 0 && isFree) placed.push({ key, text: label, left, top });
  }
  return placed;
}
