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

// A file is chosen by a button in the language of the page, whatever that of the browser.
function cover(input) {
  var own = document.createElement("label");
  var button = document.createElement("span");
  var name = document.createElement("span");
  own.htmlFor = input.id;
  own.className = "choose";
  button.className = "button";
  button.textContent = "选择文件";
  own.append(button, name);
  function tell() {
    var names = Array.from(input.files, function (file) { return file.name; });
    name.textContent = names.length ? names.join("、") : "没有选择文件";
  }
  input.addEventListener("change", tell);
  input.classList.add("covered");
  input.insertAdjacentElement("afterend", own);
  tell();
}
function coverAll() {
  document.querySelectorAll("input[type=file]:not(.covered)").forEach(cover);
}
document.addEventListener("htmx:load", coverAll);
coverAll();

// A file is sent with its progress shown; without this the form sends it all the same.
document.addEventListener("submit", function (event) {
  var form = event.target;
  var chosen = form.classList.contains("upload") && form.querySelector("input[type=file]").files[0];
  if (!chosen) { return; }
  event.preventDefault();
  var said = form.querySelector(".sending");
  if (chosen.size > Number(form.dataset.largest)) {
    said.textContent = "文件超过" + Math.floor(form.dataset.largest / 1048576) + "MB，没有上传：请拆分成几个文件，或改用命令行";
    return;
  }
  var button = form.querySelector("button");
  var bar = document.createElement("progress");
  bar.max = 100;
  bar.setAttribute("aria-label", "上传");
  said.textContent = "正在上传";
  said.appendChild(bar);
  button.disabled = true;
  var sent = new XMLHttpRequest();
  sent.upload.onprogress = function (done) {
    bar.value = done.loaded * 100 / done.total;
    if (done.loaded === done.total) { said.firstChild.nodeValue = "已送到，正在核对"; }
  };
  sent.onload = function () {
    if (sent.status === 200) { window.location.assign(sent.responseURL); return; }
    var page = new DOMParser().parseFromString(sent.responseText, "text/html");
    document.querySelector("main").replaceWith(page.querySelector("main"));
    coverAll();
  };
  sent.onerror = function () {
    said.textContent = "没有送到，请再试";
    button.disabled = false;
  };
  sent.open("POST", form.action);
  sent.send(new FormData(form));
});
