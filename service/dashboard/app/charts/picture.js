/** One uPlot picture that follows its box, its shape and its figures. */
import uPlot from "uplot";
import { html, useLayoutEffect, useRef } from "../core/html.js";
import { showTip } from "./tip.js";

const NEARBY = "100px"; // a picture so close to the window is drawn before it is scrolled to
// Nothing can be dragged.
const STILL = { points: { show: false }, drag: { x: false, y: false }, bind: { mousedown: () => null } };

/**
 * @typedef {Omit<import("uplot").Options, "width" | "height">} Shape
 * @typedef {{shape: Shape, data: any, tip?: (plot: uPlot) => HTMLElement[]}} Content `shape` is uPlot's options, less
 *   the size: a new one builds the picture anew, new data alone draw it again. `tip` says what is at the pointer.
 */

/**
 * @param {Content & {height: number, label: string}} props `label` says in words what the picture shows, for those who
 *   do not see it
 */
export function Picture({ shape, data, tip, height, label }) {
  const box = useRef(/** @type {any} */ (null));
  const drawing = useRef(/** @type {any} */ (null));
  useLayoutEffect(() => {
    drawing.current = new Drawing(box.current);
    return () => drawing.current.end();
  }, []);
  useLayoutEffect(() => drawing.current.show({ shape, data, tip }), [shape, data, tip]);
  return html`<div class="chart" ref=${box} style=${{ height: `${height}px` }} role="img" aria-label=${label}></div>`;
}

/**
 * A drawing in a box. Out of view it is not drawn until it comes into view or is printed: painting costs most of an
 * update.
 */
class Drawing {
  /** @param {HTMLElement} box */
  constructor(box) {
    this.box = box;
    this.bubble = Object.assign(document.createElement("div"), { className: "chart-tip", hidden: true });
    box.append(this.bubble);
    this.isInView = true;
    this.resized = new ResizeObserver(() => this.fit());
    this.scrolled = new IntersectionObserver((entries) => this.move(entries[entries.length - 1].isIntersecting), {
      rootMargin: NEARBY,
    });
    this.printed = () => this.draw();
    this.elsewhere = (/** @type {PointerEvent} */ event) => this.leave(event);
    this.resized.observe(box);
    this.scrolled.observe(box);
    addEventListener("beforeprint", this.printed);
    addEventListener("pointerdown", this.elsewhere);
  }

  /** @param {Content} content */
  show(content) {
    this.undrawn = content;
    if (this.isInView) this.draw();
  }

  /** @param {boolean} isInView */
  move(isInView) {
    this.isInView = isInView;
    if (isInView) this.draw();
  }

  draw() {
    if (!this.undrawn || this.box.clientWidth === 0) return;
    const { shape, data, tip } = this.undrawn;
    this.undrawn = null;
    this.tip = tip;
    this.began = performance.now();
    if (this.plot && this.shape === shape) this.plot.setData(data);
    else this.build(shape, data);
  }

  /**
   * @param {Shape} shape
   * @param {any} data
   */
  build(shape, data) {
    this.plot?.destroy();
    this.shape = shape;
    this.bubble.hidden = true;
    const { clientWidth: width, clientHeight: height } = this.box;
    const hooks = {
      ...shape.hooks,
      draw: [() => this.drawn()],
      setCursor: [(/** @type {uPlot} */ plot) => this.point(plot)],
    };
    this.plot = new uPlot(
      { legend: { show: false }, ...shape, cursor: { ...STILL, ...shape.cursor }, width, height, hooks },
      data,
      this.box,
    );
    this.follow(this.plot);
  }

  /**
   * Follow a finger or a pen: uPlot follows the mouse alone, and browsers make none of a finger that slides.
   * @param {uPlot} plot
   */
  follow(plot) {
    const slide = (/** @type {PointerEvent} */ event) => {
      if (event.pointerType === "mouse") return;
      const { left, top } = plot.over.getBoundingClientRect();
      plot.syncRect(false);
      plot.cursor.event = event;
      plot.setCursor({ left: event.clientX - left, top: event.clientY - top });
    };
    plot.over.addEventListener("pointerdown", slide);
    plot.over.addEventListener("pointermove", slide);
  }

  /**
   * A finger has no way to leave but to touch elsewhere.
   * @param {PointerEvent} event
   */
  leave({ pointerType, target }) {
    if (pointerType === "mouse" || this.bubble.hidden || this.box.contains(/** @type {Node} */ (target))) return;
    this.plot?.setCursor({ left: -10, top: -10 });
  }

  drawn() {
    if (this.began) performance.measure("actlab.chart", { start: this.began });
    this.began = null;
  }

  /** @param {uPlot} plot */
  point(plot) {
    const { left = -1, top = -1 } = plot.cursor;
    const elements = left < 0 || !this.tip ? [] : this.tip(plot);
    showTip(this.bubble, elements, { left: plot.over.offsetLeft + left, top: plot.over.offsetTop + top });
  }

  fit() {
    const { clientWidth: width, clientHeight: height } = this.box;
    if (width > 0 && this.plot && (this.plot.width !== width || this.plot.height !== height)) {
      this.bubble.hidden = true;
      this.plot.setSize({ width, height });
    }
    if (this.isInView) this.draw();
  }

  end() {
    this.resized.disconnect();
    this.scrolled.disconnect();
    removeEventListener("beforeprint", this.printed);
    removeEventListener("pointerdown", this.elsewhere);
    this.plot?.destroy();
  }
}
