// What the theme leaves nameless, or names twice, for people who listen to the page or use it without a mouse.
const label = () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  for (const nav of document.querySelectorAll(".md-nav .md-nav, .md-code__nav")) {
    nav.setAttribute("role", "none");
    for (const name of ["aria-label", "aria-labelledby", "aria-expanded"]) nav.removeAttribute(name);
  }
  document.querySelectorAll(".md-typeset__scrollwrap").forEach((table) => table.setAttribute("tabindex", "0"));
};
new MutationObserver(label).observe(document.body, {childList: true, subtree: true});
label();
