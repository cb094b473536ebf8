/** What all charts share: type, axes and tooltips in the page's colours. */

export const FONT = '"Inter Variable", system-ui, sans-serif';

/** Options that every chart starts from. Nothing moves when data arrives: a live chart must not dance. */
export function base(colours) {
  return {
    animation: false,
    textStyle: { fontFamily: FONT, color: colours.muted, fontSize: 12 },
    tooltip: {
      backgroundColor: colours.surface,
      borderColor: colours.line,
      textStyle: { color: colours.ink, fontFamily: FONT, fontSize: 12 },
      confine: true,
      transitionDuration: 0,
    },
  };
}

/** An axis with hairlines; `extra` goes over it. */
export function axis(colours, extra = {}) {
  return {
    type: "value",
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: colours.muted, fontFamily: FONT, hideOverlap: true },
    splitLine: { lineStyle: { color: colours.line } },
    nameTextStyle: { color: colours.muted, fontFamily: FONT },
    ...extra,
  };
}

/**
 * The inside of a tooltip as elements, because the page's policy refuses styles written into markup.
 * @param {string} title
 * @param {{color?: string, name: string, value: string}[]} rows
 */
export function tip(title, rows) {
  const box = document.createElement("div");
  box.className = "chart-tip";
  const head = document.createElement("strong");
  head.textContent = title;
  box.append(head, ...rows.map(tipRow));
  return box;
}

function tipRow({ color, name, value }) {
  const row = document.createElement("div");
  const mark = document.createElement("span");
  mark.style.height = "3px";
  mark.style.background = color ?? "transparent";
  const label = Object.assign(document.createElement("span"), { textContent: name });
  const figure = Object.assign(document.createElement("span"), { textContent: value });
  row.append(mark, label, figure);
  return row;
}
