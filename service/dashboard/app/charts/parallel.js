/** Parallel coordinates: an axis for each factor, and a last one for the figure. A line is one cell. */
import { html, useRef } from "../core/html.js";
import { evenly } from "./axes.js";
import { onPlace, useWidth } from "./width.js";

const HEIGHT = 320;
const [TOP, RIGHT, BOTTOM, LEFT] = [30, 52, 14, 30];
const LEAST_APART = 64; // pixels between two axes; a narrow window scrolls
const SPREAD = 7; // pixels around a level in which its lines are set apart
const NEAR = 24;
const EVEN = evenly(4);

/**
 * @typedef {{title: string, levels: string[]}} Axis
 * @typedef {{key: string, places: number[], value: number, isTop: boolean}} Cell with the index of its level on each
 *   axis
 */

/**
 * @param {{axes: Axis[], cells: Cell[], title: string, format: (value: number) => string, chosen: string | null,
 *   onPoint: (key: string) => void, label: string}} props
 */
export function Parallel({ axes, cells, title, format, chosen, onPoint, label }) {
  const box = useRef(/** @type {any} */ (null));
  const room = useWidth(box);
  const width = Math.max(room, LEFT + RIGHT + axes.length * LEAST_APART);
  const values = cells.map(({ value }) => value);
  const [low, high] = EVEN.range(null, values.length ? Math.min(...values) : null, Math.max(...values));
  /** @param {number} axis */
  const x = (axis) => LEFT + (axis * (width - LEFT - RIGHT)) / axes.length;
  /** @param {number} share */
  const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
  /** @param {number} value */
  const share = (value) => (value - low) / (high - low);
  const lines = cells.map((cell) => ({
    ...cell,
    ys: [
      ...cell.places.map(
        (place, axis) => y((place + 0.5) / axes[axis].levels.length) + SPREAD - 2 * SPREAD * share(cell.value),
      ),
      y(share(cell.value)),
    ],
  }));
  /** @param {number} left @param {number} top */
  const point = (left, top) => {
    const place = Math.max(0, Math.min(axes.length - 1e-9, ((left - LEFT) * axes.length) / (width - LEFT - RIGHT)));
    const [axis, part] = [Math.floor(place), place % 1];
    const away = lines.map(({ key, ys }) => ({
      key,
      far: Math.abs(ys[axis] + part * (ys[axis + 1] - ys[axis]) - top),
    }));
    const nearest = away.reduce((best, one) => (one.far < best.far ? one : best), { key: "", far: NEAR });
    if (nearest.key) onPoint(nearest.key);
  };
  const order = [...lines].sort(
    (a, b) => Number(a.isTop) - Number(b.isTop) || Number(a.key === chosen) - Number(b.key === chosen),
  );
  return html`<div class=${`drawing ${room < width ? "scroll" : ""}`} ref=${box} tabindex="0" role="region"
    aria-label="All factors" style=${{ height: `${HEIGHT + 12}px` }}>${
      room > 0 &&
      html`<svg width=${width} height=${HEIGHT} role="img" aria-label=${label} onPointerMove=${onPlace(point)}
      onPointerDown=${onPlace(point)}>
      ${order.map(
        ({ key, ys, isTop }) => html`<path key=${key}
          class=${`cell-line ${isTop ? "top" : ""} ${key === chosen ? "chosen" : ""}`}
          d=${ys.map((at, axis) => `${axis ? "L" : "M"}${x(axis)} ${at}`).join("")} />`,
      )}
      ${axes.map(
        (
          axis,
          at,
        ) => html`<g key=${axis.title}><line class="axis" x1=${x(at)} x2=${x(at)} y1=${TOP} y2=${HEIGHT - BOTTOM} />
          <text class="axis-title" x=${x(at)} y="16" text-anchor=${at === 0 ? "start" : "middle"}
            dx=${at === 0 ? -LEFT + 4 : 0}>${axis.title}</text>
          ${axis.levels.map(
            (level, place) => html`<text class="level" x=${x(at) + 6}
              y=${y((place + 0.5) / axis.levels.length) - SPREAD - 5}>${level}</text>`,
          )}</g>`,
      )}
      <line class="axis" x1=${x(axes.length)} x2=${x(axes.length)} y1=${TOP} y2=${HEIGHT - BOTTOM} />
      <text class="axis-title" x=${width - 4} y="16" text-anchor="end">${title}</text>
      ${EVEN.splits(null, 0, low, high).map(
        (value) => html`<text key=${value} class="level" x=${x(axes.length) + 6} y=${y(share(value)) + 4}>
          ${format(value)}</text>`,
      )}
    </svg>`
    }</div>`;
}
