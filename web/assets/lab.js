"use strict";
// Keeps a live page fresh: when the event's stream says that something changed,
// the page is read again and its marked parts are replaced. After three failures
// it asks every five seconds instead, and says so.
(() => {
  const address = document.body.dataset.live;
  if (!address) return;
  let busy = false, again = false, failures = 0, told = 0, first = true;
  const status = document.querySelector("[data-status]");
  const say = text => { if (status && Date.now() - told > 10000) { status.textContent = text; told = Date.now(); } };
  const refresh = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.querySelectorAll("[data-part]").forEach(part => {
          const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
          if (!fresh || part.innerHTML === fresh.innerHTML) return;
          const at = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
          part.replaceChildren(...fresh.childNodes);
          if (at) part.querySelector(`a[href="${CSS.escape(at)}"]`)?.focus();
          say(part.querySelector("time")?.textContent || "");
        });
      }
    } catch { /* the next change tries again */ }
    busy = false;
    if (again) { again = false; setTimeout(refresh, 300); }
  };
  const stream = new EventSource(address);
  stream.addEventListener("change", () => { failures = 0; if (!first) refresh(); first = false; });
  stream.addEventListener("error", () => {
    if (++failures < 3) return;
    stream.close();
    if (status) status.textContent = document.body.dataset.quiet;
    setInterval(refresh, 5000);
  });
})();
