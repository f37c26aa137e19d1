"use strict";
(() => {
  const form = document.getElementById("filter");
  const cards = [...document.querySelectorAll("article.card")];

  // Paper shows what is folded away on the screen.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((details) => (details.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((details) => (details.open = false)));

  // A link to a finding shows all of it.
  const unfold = () => {
    const card = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const details = card && card.matches("article.card") && card.querySelector("details.finding");
    if (details) details.open = true;
  };
  addEventListener("hashchange", unfold);
  unfold();

  if (!form || cards.length < 2) return;
  form.hidden = false;
  const boxes = [...form.querySelectorAll("input[name=severity]")];
  const field = (name) => form.elements.namedItem(name);
  const words = new Map();

  const wordsOf = (card) => {
    if (!words.has(card)) words.set(card, card.textContent.toLowerCase());
    return words.get(card);
  };

  const apply = () => {
    const severities = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const rule = field("rule").value;
    const split = field("split") ? field("split").value : "";
    const text = field("text").value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      const { severity, rule: code, split: where } = card.dataset;
      const fits =
        severities.has(severity) &&
        (!rule || rule === code) &&
        (!split || split === where) &&
        (!text || wordsOf(card).includes(text));
      card.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const note of document.querySelectorAll(".nomatch")) {
      note.hidden = note.parentElement.querySelector("article.card:not([hidden])") !== null;
    }
    const total = cards.length.toLocaleString("en");
    document.getElementById("shown").textContent = `${shown.toLocaleString("en")} of ${total} shown`;
    return { severities, rule, split, text };
  };

  const save = () => {
    const { severities, rule, split, text } = apply();
    const state = new URLSearchParams();
    if (severities.size < boxes.length) state.set("severity", [...severities].join(","));
    if (rule) state.set("rule", rule);
    if (split) state.set("split", split);
    if (text) state.set("text", text);
    try {
      history.replaceState(null, "", `#${state}`);
    } catch {
      // A frame without an address of its own, as notebooks use, keeps no state.
    }
  };

  const load = () => {
    const fragment = location.hash.slice(1);
    if (fragment.includes("=")) {
      const state = new URLSearchParams(fragment);
      const wanted = state.get("severity");
      boxes.forEach((box) => (box.checked = wanted === null || wanted.split(",").includes(box.value)));
      for (const name of ["rule", "split", "text"]) {
        if (field(name)) field(name).value = state.get(name) || "";
      }
    } else if (fragment) {
      // A link to a finding must not lead to one that the filter hides.
      const target = document.getElementById(fragment);
      if (target && target.hidden) {
        form.reset();
        apply();
        target.scrollIntoView();
        return;
      }
    }
    apply();
  };

  form.addEventListener("input", save);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(save));
  addEventListener("hashchange", load);
  load();
})();
