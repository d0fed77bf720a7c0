// Keeps a page of progress up to date in place; without this file the page loads itself anew every three seconds.
"use strict";
async function look() {
  try {
    const answer = await fetch(location.href, { redirect: "follow" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.getElementById("progress");
    if (!news) { location.reload(); return; }
    const shown = document.getElementById("progress");
    if (shown.innerHTML !== news.innerHTML) shown.replaceChildren(...news.childNodes);
  } catch { /* the service is away for a moment: look again */ }
  setTimeout(look, 1500);
}
setTimeout(look, 1500);
