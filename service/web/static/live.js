// Renews a part of the page every few seconds. Without it the page says the same after a reload.
"use strict";

for (const part of document.querySelectorAll("[data-live]")) {
  const renew = async () => {
    if (document.hidden || part.contains(document.activeElement)) return; // never from under a reader's hands
    try {
      const answer = await fetch(part.dataset.live, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      part.innerHTML = await answer.text();
      part.classList.remove("stale");
    } catch {
      part.classList.add("stale");
    }
  };
  setInterval(renew, Number(part.dataset.seconds) * 1000);
}
