"use strict";
// Filters, order and paging of the list of findings. The choice stands in the address after `#`, so that a link keeps it:
// `#region=320100&code=B03`; the lights of the first page link to `#320100`, `#320100-balance`, `#320100-B03`.
document.addEventListener("DOMContentLoaded", () => {
  const table = document.getElementById("findings");
  if (!table) return;
  const STEP = 50;
  const controls = [...document.querySelectorAll("[data-filter]")];
  const rows = [...table.tBodies].map((body, place) => ({
    body, place, ...body.dataset, age: Number(body.dataset.age),
    size: body.dataset.amount === "" ? -1 : Math.abs(Number(body.dataset.amount)),
  }));
  const words = new Map(); // text of a row, read when it is first searched for
  const more = document.getElementById("more");
  let limit = STEP;

  const text = (row) => {
    if (!words.has(row)) words.set(row, row.body.textContent.toLowerCase());
    return words.get(row);
  };
  const chosen = () => Object.fromEntries(controls.map((control) => [control.dataset.filter, control.value.trim()]));
  function fits(row, wanted) {
    for (const name of ["region", "suite", "code", "severity", "status", "owner"])
      if (wanted[name] && row[name] !== wanted[name]) return false;
    if (wanted.age && row.age < Number(wanted.age)) return false;
    return wanted.text === "" || wanted.text.toLowerCase().split(/\s+/).every((word) => text(row).includes(word));
  }
  const orders = {
    "": (a, b) => a.place - b.place,
    age: (a, b) => b.age - a.age || b.size - a.size,
    code: (a, b) => a.code.localeCompare(b.code) || a.region.localeCompare(b.region) || b.size - a.size,
  };
  let ordered = "";

  function show() {
    const wanted = chosen();
    if (wanted.sort !== ordered) {
      rows.sort(orders[wanted.sort]);
      table.append(...rows.map((row) => row.body));
      ordered = wanted.sort;
    }
    let found = 0;
    for (const row of rows) {
      const fit = fits(row, wanted);
      row.body.hidden = !(fit && found < limit);
      if (fit) found += 1;
    }
    const shown = Math.min(found, limit);
    const say = (zh, en) => (fund.language() === "zh" ? zh : en);
    document.getElementById("found").textContent = say(`符合条件 ${found} 条，共列出 ${rows.length} 条`, `${found} of ${rows.length} listed findings fit`);
    document.getElementById("shown").textContent = say(`已显示 ${shown} / ${found} 条`, `${shown} of ${found} shown`);
    document.getElementById("none").hidden = found > 0;
    more.hidden = found <= limit;
  }

  function fromAddress() {
    let address = "";
    try { address = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const wanted = address.includes("=") ? Object.fromEntries(new URLSearchParams(location.hash.slice(1))) : place(address);
    if (!wanted) return;
    for (const control of controls) {
      control.value = wanted[control.dataset.filter] ?? "";
      if (control.selectedIndex === -1) control.value = "";
    }
    limit = STEP;
    show();
    if (address.includes("=")) document.getElementById("list").scrollIntoView();
  }
  // A place on the page that names a region, and perhaps a suite or a check, filters the list as well.
  function place(address) {
    const parts = /^(\d{6})(?:-(.+))?$/.exec(address);
    if (!parts) return null;
    const [, region, rest] = parts;
    if (!rest) return {region};
    return /^[A-Z]\d/.test(rest) ? {region, code: rest} : {region, suite: rest};
  }
  function toAddress() {
    const set = Object.entries(chosen()).filter(([, value]) => value);
    history.replaceState(null, "", set.length ? `#${new URLSearchParams(set)}` : location.pathname + location.search);
  }

  for (const control of controls)
    control.addEventListener("input", () => { limit = STEP; toAddress(); show(); });
  document.getElementById("f-reset").addEventListener("click", () => {
    for (const control of controls) control.value = "";
    limit = STEP;
    toAddress();
    show();
  });
  more.addEventListener("click", () => {
    const next = rows.filter((row) => fits(row, chosen()))[limit];
    limit += STEP;
    show();
    next?.body.querySelector("summary").focus();
  });
  // What to do stands once a check at the end of the page; a row that is opened shows it in its place.
  function advise(link) {
    const advice = document.querySelector(link.getAttribute("href"));
    if (!advice) return;
    const copy = document.createElement("dl");
    copy.className = "do figures";
    copy.append(...[...advice.cloneNode(true).children]);
    link.replaceWith(copy);
  }
  table.addEventListener("toggle", (event) => {
    const link = event.target.querySelector("a.do");
    if (link && event.target.open) advise(link);
  }, true);
  document.addEventListener("fund:shown", show);
  window.addEventListener("hashchange", fromAddress);
  // On paper everything that fits stands, not only the first of it.
  window.addEventListener("beforeprint", () => {
    limit = Infinity;
    show();
    for (const link of table.querySelectorAll("tbody:not([hidden]) a.do")) advise(link);
  });
  window.addEventListener("afterprint", () => { limit = STEP; show(); });
  document.documentElement.classList.add("ready");
  show();
  fromAddress();
});
