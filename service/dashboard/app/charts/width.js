/** The width of a box, for pictures that are drawn as SVG. */
import { useLayoutEffect, useState } from "../core/html.js";

/**
 * The width of an element in pixels of the page, 0 before it is known.
 * @param {{current: any}} box
 */
export function useWidth(box) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(box.current?.clientWidth ?? 0);
    const resized = new ResizeObserver(measure);
    resized.observe(box.current);
    measure();
    return () => resized.disconnect();
  }, []);
  return width;
}

/**
 * Call back with the place of a mouse, a pen or a finger in an SVG, which slides over it as a mouse does.
 * @param {(x: number, y: number) => void} point
 */
export const onPlace = (point) => (/** @type {PointerEvent & {currentTarget: SVGElement}} */ event) => {
  const { left, top } = event.currentTarget.getBoundingClientRect();
  point(event.clientX - left, event.clientY - top);
};
