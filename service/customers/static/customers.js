// Reading out and zooming the chart. Without it every column is still a link, and the table says the same.
"use strict";

for (const frame of document.querySelectorAll(".frame")) {
  const output = frame.querySelector(".read-out");
  frame.querySelector(".keys").hidden = false;
  for (const chart of frame.querySelectorAll(".chart")) {
    readOut(chart, output);
    zoom(chart, frame.dataset.zoom);
  }
}

/** Says the column under the pointer or the focus; the arrows go from one to the next. */
function readOut(chart, output) {
  const bars = [...chart.querySelectorAll(".bar")];
  const say = (bar) => { output.textContent = bar.getAttribute("aria-label"); };
  bars.forEach((bar, number) => {
    bar.setAttribute("tabindex", number === 0 ? "0" : "-1"); // one stop for the tab key, arrows within
    bar.addEventListener("pointerenter", () => say(bar));
    bar.addEventListener("focus", () => say(bar));
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -bars.length, End: bars.length }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = bars[Math.min(Math.max(number + step, 0), bars.length - 1)];
      bar.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
  });
}

/** Dragging over the chart opens the days under it. */
function zoom(chart, address) {
  const { left, right, since, until } = chart.dataset;
  const time = (event) => {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width;
    const share = Math.min(Math.max((x - left) / (right - left), 0), 1);
    return { x: Number(left) + share * (right - left), at: Number(since) + share * (until - since) };
  };
  let begin = null;
  let area = null;
  const end = () => { area?.remove(); begin = area = null; };
  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => { if (event.button === 0) begin = time(event); });
  chart.addEventListener("pointermove", (event) => {
    if (begin === null) return;
    const now = time(event);
    if (area === null && Math.abs(now.x - begin.x) > 8) {
      area = chart.appendChild(document.createElementNS(chart.namespaceURI, "rect"));
      area.setAttribute("class", "zoom");
      area.setAttribute("height", chart.viewBox.baseVal.height);
      chart.setPointerCapture(event.pointerId);
    }
    if (area === null) return;
    area.setAttribute("x", Math.min(begin.x, now.x));
    area.setAttribute("width", Math.abs(begin.x - now.x));
  });
  chart.addEventListener("pointerup", (event) => {
    if (begin === null || area === null) { end(); return; }
    const times = [begin.at, time(event).at].sort((a, b) => a - b);
    end();
    chart.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    const [first, last] = times.map(day);
    window.location.href = address.replace("FIRST", first).replace("LAST", last);
  });
  chart.addEventListener("pointercancel", end);
}

/** Local day of a moment, as the utility's zone has it: the page says which. */
function day(seconds) {
  const zone = document.documentElement.dataset.zone;
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(new Date(seconds * 1000));
}
