// What the pages of the book need beside the theme's scripts.
"use strict";
(() => {
  // A page opened from a disk may not read other pages, which is where a search takes its excerpts from.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // A block that scrolls sideways must be reachable by keyboard; one that does not must not be a stop on the way.
  const scrollers = "div.highlight pre, .cell_output pre, .pst-scrollable-table-container, .katex-display";
  const mark = () => {
    for (const element of document.querySelectorAll(scrollers)) {
      if (element.scrollWidth > element.clientWidth + 1) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  };
  document.addEventListener("DOMContentLoaded", mark);
  window.addEventListener("load", mark);
  window.addEventListener("resize", mark);
})();
