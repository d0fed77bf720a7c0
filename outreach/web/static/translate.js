// Shows, while a translator types, what the checker says and what a patient would see; and the keys of the workbench.
// Without this file the button "Preview" does the same by loading the page anew.
"use strict";
const form = document.getElementById("unit"), shown = document.getElementById("preview");
const fields = [...form.querySelectorAll("textarea")];
const before = fields.map((field) => field.value).join("\0");
let waiting = 0, framing = 0, asked = 0, sending = false;

async function preview() {
  const turn = ++asked;
  try {
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok || answer.redirected) return;
    const text = await answer.text();
    if (turn === asked) put(new DOMParser().parseFromString(text, "text/html").body);
  } catch { /* the service is away for a moment: saving checks as well */ }
}
function put(news) {
  shown.querySelector(".told").replaceWith(news.querySelector(".told"));
  clearTimeout(framing);
  framing = setTimeout(() => frame(news.querySelector(".framed")), 250);
}
// Frames follow a moment later, and only where their words are others: each loads a document of its own.
function frame(news) {
  const old = shown.querySelector(".framed");
  const places = (root) => [...root.querySelectorAll("iframe")].map((one) => one.getAttribute("src")).join();
  if (places(old) === places(news)) return;
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  news.querySelectorAll("details").forEach((one, at) => { one.open = Boolean(open[at]); });
  old.replaceWith(news);
}
const soon = () => { clearTimeout(waiting); waiting = setTimeout(preview, 60); };
form.addEventListener("input", soon);
form.addEventListener("change", soon);
form.addEventListener("submit", () => { sending = true; });
addEventListener("beforeunload", (event) => {
  if (!sending && fields.map((field) => field.value).join("\0") !== before) event.preventDefault();
});
addEventListener("keydown", (event) => {
  const goal = { ArrowUp: "before", ArrowDown: "after" }[event.key];
  if (event.altKey && !event.ctrlKey && goal) {
    event.preventDefault();
    document.getElementById(goal)?.click();
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    const button = form.querySelector("[value=next]") ?? form.querySelector("[value=save]");
    if (button) form.requestSubmit(button);
  }
});
// A field that runs from right to left turns placeholders around; below it each stands in one piece.
for (const field of fields) {
  const words = document.getElementById(`${field.id}.chips`);
  if (words) field.addEventListener("input", () => words.replaceChildren(...field.value.split(/(%\([\p{L}\p{N}_]+\)s|%%)/u).map(chip)));
}
function chip(text, at) {
  return at % 2 ? Object.assign(document.createElement("bdi"), { className: "slot", dir: "ltr", textContent: text }) : text;
}
let last = fields[0];
for (const field of fields) field.addEventListener("focus", () => { last = field; });
for (const button of form.querySelectorAll("[data-put]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    last.setRangeText(button.dataset.put, last.selectionStart, last.selectionEnd, "end");
    last.focus();
    last.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
for (const one of form.querySelectorAll("[data-without-script], .unscripted")) one.hidden = true;
for (const one of form.querySelectorAll(".keys")) one.hidden = false;
