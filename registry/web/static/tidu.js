// What pages do beyond links and forms; without it everything works, with one more page to load.
"use strict";

// On a narrow screen the clause opens below the line it belongs to.
document.addEventListener("htmx:afterSwap", function (event) {
  var clause = document.getElementById("clause");
  var asked = event.detail.requestConfig && event.detail.requestConfig.elt;
  var line = asked && asked.closest(".tree .cite");
  if (clause && line && window.matchMedia("(max-width: 760px)").matches) {
    line.insertAdjacentElement("afterend", clause);
    clause.scrollIntoView({ block: "nearest" });
  }
});
