/** One ECharts picture that follows its box and its option. */
import * as echarts from "echarts";
import { html, useEffect, useLayoutEffect, useRef } from "../html.js";

const NEARBY = "100px"; // a picture so close to the window is drawn before it is scrolled to

/**
 * What is new while it is out of view is drawn when it comes into view, or onto paper: painting is most of what an
 * update costs.
 *
 * @param {{option: object, height: number, label: string, onClick?: Function}} props `label` says in words what
 *   the picture shows, for those who do not see it.
 */
export function Chart({ option, height, label, onClick }) {
  const box = useRef(null);
  const chart = useRef(null);
  const isInView = useRef(true);
  const undrawn = useRef(null);

  const draw = () => {
    if (undrawn.current === null) return;
    const before = performance.now();
    chart.current.setOption(undrawn.current, { replaceMerge: ["series", "xAxis", "yAxis", "grid"], lazyUpdate: false });
    undrawn.current = null;
    performance.measure("actlab.chart", { start: before });
  };

  useLayoutEffect(() => {
    chart.current = echarts.init(box.current, null, { renderer: "canvas" });
    const resized = new ResizeObserver(() => chart.current.resize());
    const scrolled = new IntersectionObserver((entries) => {
      isInView.current = entries.at(-1).isIntersecting;
      if (isInView.current) draw();
    }, { rootMargin: NEARBY }); // prettier-ignore
    resized.observe(box.current);
    scrolled.observe(box.current);
    addEventListener("beforeprint", draw);
    return () => {
      resized.disconnect();
      scrolled.disconnect();
      removeEventListener("beforeprint", draw);
      chart.current.dispose();
    };
  }, []);

  useLayoutEffect(() => {
    undrawn.current = option;
    if (isInView.current) draw();
  }, [option]);

  useEffect(() => {
    if (!onClick) return undefined;
    chart.current.on("click", onClick);
    return () => chart.current.off("click", onClick);
  }, [onClick]);

  return html`<div class="chart" ref=${box} style=${{ height: `${height}px` }} role="img" aria-label=${label}></div>`;
}
