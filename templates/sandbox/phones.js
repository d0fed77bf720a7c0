// Answers without leaving the page, and news without a reload. Everything works, slower, without this file.
document.documentElement.classList.remove("plain");
const board = document.querySelector("[data-live]");
let known = "";

function localTimes(root) {
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    const form = today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
    time.textContent = at.toLocaleString("en", form);
  }
}

function typing(card) {
  const box = card?.querySelector(".answer input[name=body]");
  return Boolean(box && (box.value || box === document.activeElement));
}

function merge(fresh) {
  const cards = [...fresh.children].map((card) => {
    const old = card.id && document.getElementById(card.id);
    if (old && old.dataset.mark === card.dataset.mark) return old;
    if (old && typing(old)) {
      // Keep the box with its half-written answer; renew what is above it.
      old.querySelector(".screen").replaceWith(card.querySelector(".screen"));
      old.dataset.mark = card.dataset.mark;
      localTimes(old);
      return old;
    }
    card.classList.add("new");
    localTimes(card);
    return card;
  });
  const same = cards.length === board.children.length && cards.every((card, at) => card === board.children[at]);
  if (!same && !typing(document.activeElement?.closest(".card"))) board.replaceChildren(...cards);
}

async function look() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: known ? { "If-None-Match": known } : {} });
    if (answer.status === 200) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (fresh) merge(fresh);
      known = answer.headers.get("ETag") ?? "";
    }
  } catch { /* the sandbox is restarting: the next look will tell */ }
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest(".answer");
  if (!form) return;
  event.preventDefault();
  const fields = new FormData(form);
  fields.delete("back");
  form.elements.body.value = "";
  await fetch(form.action, { method: "POST", body: new URLSearchParams(fields) });
  form.elements.body.blur();
  look();
});

localTimes(document);
if (board) setInterval(() => document.hidden || look(), 2000);
