// Counts the SMS parts of an answer while it is typed, and puts ready answers into the field; without this file both
// are buttons that load the page anew.
"use strict";
for (const form of document.querySelectorAll("form[data-count]")) {
  const field = form.querySelector("[name=text]"), shown = form.querySelector("#parts");
  let waiting = 0, asked = 0;
  const count = async () => {
    const turn = ++asked;
    if (!field.value.trim()) { shown.textContent = ""; return; }
    const said = new URLSearchParams({ csrf: form.elements.csrf.value, text: field.value });
    try {
      const answer = await fetch(form.dataset.count, { method: "POST", body: said });
      const text = await answer.text();
      if (turn === asked) shown.textContent = answer.ok ? text : "";
    } catch { /* the service is away for a moment: sending counts as well */ }
  };
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(count, 300); };
  field.addEventListener("input", soon);
  for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;
  for (const button of form.querySelectorAll("[data-text]")) {
    button.type = "button";
    button.addEventListener("click", () => {
      field.value = `${field.value.trim()} ${button.dataset.text}`.trim();
      field.focus();
      soon();
    });
  }
}
