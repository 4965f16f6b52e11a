// A code block that scrolls sideways must be reachable by keyboard; one that does not must not be a stop on the way.
"use strict";
(() => {
  const scrollers = "div.highlight pre, .cell_output pre, .pst-scrollable-table-container, div.math";
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
