"use strict";
// What every page has: the choice of language and of the unit of amounts. Without this script both languages are shown,
// and amounts are yuan. Choices are kept in this browser only.
(() => {
  const root = document.documentElement;
  const stored = (name) => {
    try { return localStorage.getItem(`merged-fund.${name}`); } catch { return null; } // refused by some browsers for files
  };
  const store = (name, value) => {
    try { localStorage.setItem(`merged-fund.${name}`, value); } catch { /* the choice lasts for this page */ }
  };
  const asked = new URLSearchParams(location.search);
  root.classList.add("script");
  root.dataset.lang = (asked.get("lang") || stored("lang")) === "en" ? "en" : "zh";
  root.lang = root.dataset.lang === "en" ? "en" : "zh-CN";
  let unit = (asked.get("unit") || stored("unit")) === "10000" ? 10000 : 1;

  // Exact: cents as an integer. Ten thousands of yuan are rounded half away from zero to two decimals.
  function cents(text) {
    const [, sign, whole, part] = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(text);
    return BigInt(sign + whole + (part || "").padEnd(2, "0"));
  }
  function format(value, divisor) {
    const amount = cents(value);
    const size = amount < 0n ? -amount : amount;
    const rounded = (size + BigInt(divisor) / 2n) / BigInt(divisor);
    const digits = `${(rounded / 100n).toLocaleString("en-US")}.${String(rounded % 100n).padStart(2, "0")}`;
    return amount < 0n && rounded > 0n ? `−${digits}` : digits;
  }
  const units = {1: {zh: "元", en: "yuan"}, 10000: {zh: "万元", en: "10k yuan"}};

  function showAmounts() {
    for (const element of document.querySelectorAll("data.money")) {
      const yuan = element.getAttribute("value");
      element.textContent = format(yuan, unit);
      if (unit === 1) element.removeAttribute("title");
      else element.title = `${format(yuan, 1)} 元 yuan`;
    }
    for (const element of document.querySelectorAll(".unit")) {
      element.dataset.text ??= element.textContent;
      const language = element.dataset.of;
      element.textContent = element.dataset.text.replace(units[1][language], units[unit][language]);
    }
  }
  function showChoices() {
    for (const button of document.querySelectorAll("[data-set-lang]"))
      button.setAttribute("aria-pressed", String(button.dataset.setLang === root.dataset.lang));
    for (const button of document.querySelectorAll("[data-set-unit]"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.setUnit) === unit));
    // What can hold no elements of its own: titles and options.
    for (const element of document.querySelectorAll("title, option[data-zh]"))
      element.textContent = element.dataset[root.dataset.lang];
  }
  function changed() {
    showChoices();
    document.dispatchEvent(new CustomEvent("fund:shown"));
  }
  function setLanguage(language) {
    root.dataset.lang = language;
    root.lang = language === "en" ? "en" : "zh-CN";
    store("lang", language);
    changed();
  }
  function setUnit(chosen) {
    unit = chosen;
    store("unit", String(chosen));
    showAmounts();
    changed();
  }
  // A link into a folded part opens it.
  function openTarget() {
    let id = "";
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = id && document.getElementById(id);
    if (!target) return;
    for (let folded = target.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    target.scrollIntoView();
  }

  window.fund = {
    language: () => root.dataset.lang,
    unit: () => unit,
    unitName: () => units[unit][root.dataset.lang],
    format: (value) => format(value, unit),
    // The text of an element in the language that is shown.
    text(element) {
      const own = element.querySelector(`[lang=${root.dataset.lang}]`);
      return (own || element).textContent.trim();
    },
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const element of document.querySelectorAll(".switches, [data-script]")) element.hidden = false;
    for (const button of document.querySelectorAll("[data-set-lang]"))
      button.addEventListener("click", () => setLanguage(button.dataset.setLang));
    for (const button of document.querySelectorAll("[data-set-unit]"))
      button.addEventListener("click", () => setUnit(Number(button.dataset.setUnit)));
    if (unit !== 1) showAmounts();
    showChoices();
    openTarget();
    window.addEventListener("hashchange", openTarget);
  });
})();
