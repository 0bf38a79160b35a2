// Before the first paint: light or dark as Airflow is, and its own colours where it names them.
// The pages live in a frame of Airflow's UI, of the same origin; on their own they follow the system's preference.
(function () {
  "use strict";
  const ours = document.documentElement;
  const colours = {
    "--bg": "bg", "--bg-subtle": "bg-subtle", "--bg-muted": "bg-muted", "--panel": "bg", "--fg": "fg",
    "--fg-muted": "fg-muted", "--border": "border", "--border-strong": "border-emphasized", "--brand": "brand-solid", "--link": "fg-info",
    "--brand-fg": "brand-fg", "--brand-subtle": "brand-subtle",
  };
  const outer = (function () {
    try {
      return window.parent !== window ? window.parent.document.documentElement : null;
    } catch {
      return null; // a frame of another origin: the policy forbids it anyway
    }
  })();
  function follow() {
    const name = ["dark", "light"].find((one) => outer.classList.contains(one));
    if (name) ours.dataset.theme = name;
    const theirs = window.parent.getComputedStyle(outer);
    for (const [mine, its] of Object.entries(colours)) {
      const value = theirs.getPropertyValue("--chakra-colors-" + its).trim();
      if (value) ours.style.setProperty(mine, value);
    }
  }
  if (outer) {
    follow();
    new MutationObserver(follow).observe(outer, { attributes: true, attributeFilter: ["class"] });
  }
})();
