"use strict";
// A line opens what it is made of right below it; the address still does the same, so that others can be led to a line.
(() => {
  const set = (link, drill, open) => {
    drill.classList.toggle("opened", open);
    link.closest("tr").classList.toggle("opened", open);
    link.setAttribute("aria-expanded", String(open));
  };
  const parts = (link) => document.getElementById(link.hash.slice(1));

  document.addEventListener("DOMContentLoaded", () => {
    const links = [...document.querySelectorAll("a.open")];
    const opener = new Map(links.map((link) => [parts(link).id, link]));
    for (const link of links) {
      const drill = parts(link);
      link.setAttribute("aria-controls", drill.id);
      set(link, drill, false);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const open = !drill.classList.contains("opened");
        set(link, drill, open);
        history.replaceState(null, "", open ? `#${drill.id}` : location.pathname + location.search);
      });
      drill.querySelector("a.close")?.addEventListener("click", (event) => {
        event.preventDefault();
        set(link, drill, false);
        history.replaceState(null, "", location.pathname + location.search);
        link.focus();
      });
    }
    const follow = () => {
      const id = decodeURIComponent(location.hash.slice(1));
      if (!opener.has(id)) return;
      set(opener.get(id), document.getElementById(id), true);
      opener.get(id).closest("tr").scrollIntoView();
    };
    follow();
    window.addEventListener("hashchange", follow);
    for (const choice of document.querySelectorAll("select[data-go]"))
      choice.addEventListener("change", () => { location.href = choice.value; });
  });
})();
