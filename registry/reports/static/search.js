/* Finds pages by a part of what they say. Without it, every page is still reached by links. */
(() => {
  "use strict";
  const MOST = 30;
  const place = document.getElementById("find");
  if (!place || typeof tiduIndex === "undefined") return;
  const entries = tiduIndex.map(([href, name, more]) => ({ href, name, more, text: `${name} ${more}`.toLowerCase() }));
  const label = document.createElement("label");
  label.className = "hidden";
  label.htmlFor = "find-text";
  label.textContent = "查找条文、编号或指标";
  const input = document.createElement("input");
  input.type = "search";
  input.id = "find-text";
  input.placeholder = "查找条文、编号或指标";
  input.autocomplete = "off";
  const said = document.createElement("p");
  said.className = "found-count";
  said.setAttribute("role", "status");
  const list = document.createElement("ul");
  const box = document.createElement("div");
  box.className = "found";
  box.hidden = true;
  box.append(said, list);
  place.append(label, input, box);
  place.hidden = false;

  const item = (entry) => {
    const link = document.createElement("a");
    link.href = entry.href;
    link.append(entry.name);
    const more = document.createElement("span");
    more.textContent = entry.more;
    link.append(more);
    const line = document.createElement("li");
    line.append(link);
    return line;
  };
  const show = () => {
    const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    box.hidden = !words.length;
    list.textContent = "";
    if (!words.length) { said.textContent = ""; return; }
    const found = entries.filter((entry) => words.every((word) => entry.text.includes(word)));
    found.slice(0, MOST).forEach((entry) => list.append(item(entry)));
    said.textContent = found.length > MOST ? `找到${found.length}项，列出前${MOST}项` : found.length ? `找到${found.length}项` : "没有找到：请换一个词";
  };
  input.addEventListener("input", show);
  place.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { input.value = ""; show(); input.focus(); }
    if (event.key === "Enter" && event.target === input && !event.isComposing && list.firstChild) list.firstChild.firstChild.click();
  });
  document.addEventListener("click", (event) => { if (!place.contains(event.target)) box.hidden = true; });
})();
