/** One ECharts picture that follows its box and its option. */
import * as echarts from "echarts";
import { html, useEffect, useLayoutEffect, useRef } from "../html.js";

/**
 * @param {{option: object, height: number, label: string, onClick?: Function}} props `label` says in words what
 *   the picture shows, for those who do not see it.
 */
export function Chart({ option, height, label, onClick }) {
  const box = useRef(null);
  const chart = useRef(null);

  useLayoutEffect(() => {
    chart.current = echarts.init(box.current, null, { renderer: "canvas" });
    const observer = new ResizeObserver(() => chart.current.resize());
    observer.observe(box.current);
    return () => {
      observer.disconnect();
      chart.current.dispose();
    };
  }, []);

  useLayoutEffect(() => {
    const before = performance.now();
    chart.current.setOption(option, { replaceMerge: ["series", "xAxis", "yAxis", "grid"], lazyUpdate: false });
    performance.measure("actlab.chart", { start: before, detail: label });
  }, [option]);

  useEffect(() => {
    if (!onClick) return undefined;
    chart.current.on("click", onClick);
    return () => chart.current.off("click", onClick);
  }, [onClick]);

  return html`<div class="chart" ref=${box} style=${{ height: `${height}px` }} role="img" aria-label=${label}></div>`;
}
