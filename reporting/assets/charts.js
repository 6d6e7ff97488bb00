"use strict";
// Charts are drawn from the tables below them, so that both always say the same. Colours are the style sheet's own
// variables: a change of colour scheme or of medium needs no new drawing.
(() => {
  const families = getComputedStyle(document.documentElement).getPropertyValue("--sans");
  const narrow = () => matchMedia("(max-width: 40rem)").matches;

  function read(figure) {
    const table = figure.querySelector("table");
    const heads = [...table.querySelectorAll("thead th")];
    const rows = [...table.querySelectorAll("tbody tr")];
    return {
      categories: rows.map((row) => fund.text(row.cells[0])),
      series: heads.flatMap((head, column) => ("series" in head.dataset ? [{
        name: fund.text(head),
        tone: head.dataset.tone || "accent",
        line: head.dataset.kind === "line",
        right: head.dataset.axis === "right",
        band: head.dataset.band,
        values: rows.map((row) => row.cells[column].dataset.value ?? row.cells[column].querySelector("data")?.value ?? null),
      }] : [])),
    };
  }

  const amount = (value) => fund.format(Number(value).toFixed(2));
  const count = (value) => Number(value).toLocaleString("en-US");
  function short(value) {
    const yuan = value / fund.unit();
    if (fund.language() === "zh") {
      if (Math.abs(yuan) >= 1e8) return `${+(yuan / 1e8).toFixed(2)}亿`;
      if (Math.abs(yuan) >= 1e4) return `${+(yuan / 1e4).toFixed(2)}万`;
      return count(+yuan.toFixed(2));
    }
    return new Intl.NumberFormat("en", {notation: "compact", maximumFractionDigits: 2}).format(yuan);
  }

  const numbers = (one) => one.values.map((value) => (value === null || value === "" ? null : Number(value)));

  // An interval is two columns, its ends: an invisible line at the lower one, and on it the area up to the upper one.
  function band(one, lower) {
    const ends = numbers(one);
    const data = lower ? ends.map((end, at) => (end === null || lower[at] === null ? null : end - lower[at])) : ends;
    return {
      name: one.name, type: "line", stack: "band", stackStrategy: "all", data, symbol: "none", silent: true,
      lineStyle: {opacity: 0}, itemStyle: {color: `var(--c-${one.tone})`, opacity: lower ? 0.35 : 0},
      areaStyle: {color: `var(--c-${one.tone})`, opacity: lower ? 0.18 : 0}, emphasis: {disabled: true}, tooltip: {show: false},
    };
  }

  function option(figure) {
    const {categories, series} = read(figure);
    const bottom = series.find((one) => one.band === "lower");
    const kind = figure.dataset.chart;
    const money = figure.dataset.unit === "money";
    const stepped = kind === "step"; // what stays in force until the next row
    const label = {color: "var(--soft)", fontFamily: families, fontSize: 12};
    const axis = (right) => ({
      type: "value", minInterval: money || right ? undefined : 1, gridIndex: right ? 1 : 0, splitNumber: right ? 2 : 4,
      axisLabel: {...label, formatter: money || right ? short : count},
      splitLine: {lineStyle: {color: "var(--rule)"}},
    });
    // Another unit has a panel of its own below: two scales in one would suggest what is not there.
    const two = series.some((one) => one.right);
    const across = (panel) => ({
      type: "category", data: categories, gridIndex: panel, axisLabel: {...label, hideOverlap: true, show: !two || panel === 1},
      axisLine: {lineStyle: {color: "var(--rule-strong)"}}, axisTick: {show: false},
    });
    return {
      animation: false,
      aria: {enabled: false},
      grid: two
        ? [{left: 64, right: 8, top: 32, bottom: "44%"}, {left: 64, right: 8, top: "66%", bottom: 24}]
        : {left: 64, right: 8, top: 32, bottom: 24},
      legend: {top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: {...label, color: "var(--ink)"}, selectedMode: false, data: series.filter((one) => one.band !== "lower").map((one) => one.name)},
      tooltip: {
        trigger: "axis", confine: true, backgroundColor: "var(--paper)", borderColor: "var(--rule-strong)",
        textStyle: {color: "var(--ink)", fontFamily: families, fontSize: 13}, axisPointer: {type: "line", lineStyle: {color: "var(--rule-strong)"}},
      },
      axisPointer: {link: [{xAxisIndex: "all"}]},
      xAxis: two ? [across(0), across(1)] : across(0),
      yAxis: two ? [axis(false), axis(true)] : axis(false),
      series: series.map((one) => (one.band ? band(one, one.band === "upper" && bottom ? numbers(bottom) : null) : {
        name: one.name,
        type: ["line", "fan", "step"].includes(kind) || one.line ? "line" : "bar",
        step: stepped ? "end" : undefined,
        stack: kind === "stacked" && !one.line && !one.right ? "all" : undefined,
        xAxisIndex: one.right ? 1 : 0,
        yAxisIndex: one.right ? 1 : 0,
        data: numbers(one),
        barMaxWidth: 26, symbolSize: kind === "fan" ? 3 : 6, symbol: "circle",
        lineStyle: {width: 2, color: `var(--c-${one.tone})`},
        itemStyle: {color: `var(--c-${one.tone})`},
        emphasis: {disabled: true},
        tooltip: {valueFormatter: (value) => (value === null || value === undefined ? "—" : money || one.right ? `${amount(value)} ${fund.unitName()}` : count(value))},
      })),
    };
  }

  function draw(figure) {
    const canvas = figure.querySelector(".canvas");
    const title = fund.text(figure.querySelector("figcaption strong"));
    canvas.hidden = false;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${title}: ${fund.text(figure.querySelector(".summary"))}`);
    const chart = echarts.getInstanceByDom(canvas) || echarts.init(canvas, null, {renderer: "svg"});
    chart.setOption(option(figure), {notMerge: true});
    return chart;
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (typeof echarts === "undefined") return; // the tables stay
    const figures = [...document.querySelectorAll("figure[data-chart]")];
    const drawAll = () => figures.forEach(draw);
    const fit = () => figures.forEach((figure) => echarts.getInstanceByDom(figure.querySelector(".canvas"))?.resize());
    drawAll();
    document.addEventListener("fund:shown", drawAll);
    window.addEventListener("resize", fit);
    window.addEventListener("beforeprint", fit);
    window.addEventListener("afterprint", fit);
    matchMedia("print").addEventListener("change", fit);
    if (!narrow()) return;
    for (const figure of figures) figure.querySelector(".as-table").open = false;
  });
})();
